// Shared by the page and the writer of the HTML. Everything is UTC and the same on every machine.
const DAY_MS = 86_400_000;

/** 1234567.891 → 1,234,567.89; `digits` after the point. */
export function decimal(value: number, digits = 2): string {
  const [whole = '', fraction] = Math.abs(value).toFixed(digits).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const sign = value < 0 && Number(value.toFixed(digits)) !== 0 ? '−' : '';
  return `${sign}${grouped}${fraction === undefined ? '' : `.${fraction}`}`;
}

/** With a plus where it is one. */
export const signed = (value: number, digits = 2): string =>
  `${Number(value.toFixed(digits)) > 0 ? '+' : ''}${decimal(value, digits)}`;

/** 0.1234 → 12.34 %. */
export const percent = (share: number, digits = 2): string => `${decimal(share * 100, digits)} %`;

export const signedPercent = (share: number, digits = 2): string => `${signed(share * 100, digits)} %`;

/** 1 day, 2 days, 1,000 days. */
export const plural = (count: number, noun: string): string => `${decimal(count, 0)} ${noun}${count === 1 ? '' : 's'}`;

/** A price with as many places as its size asks for, at least two. */
export function price(value: number): string {
  const size = Math.abs(value);
  return decimal(value, size >= 100 || size === 0 ? 2 : size >= 1 ? 4 : 8);
}

/** 1530000 → 1.53M, for axes. */
export function short(value: number): string {
  const size = Math.abs(value);
  const sign = value < 0 ? '−' : '';
  for (const [unit, letter] of [
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (size >= unit) return `${sign}${Number((size / unit).toPrecision(5))}${letter}`;
  }
  return `${sign}${Number(size.toPrecision(4))}`;
}

/** 2022-03-01. */
export const day = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** 2022-03-01 14:05, with seconds where they are not zero. */
export function minute(at: number): string {
  const text = new Date(at).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, text.slice(17, 23) === '00.000' ? 16 : 19)}`;
}

/** 3 d 4 h, 2 h 5 min, 45 s. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const parts = [
    [Math.floor(ms / DAY_MS), 'd'],
    [Math.floor((ms % DAY_MS) / 3_600_000), 'h'],
    [Math.floor((ms % 3_600_000) / 60_000), 'min'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return `${seconds} s`;
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${decimal(count, 0)} ${unit}`)
    .join(' ');
}

/** force_close → force close. */
export const words = (code: string): string => code.replaceAll('_', ' ');
