/** `2021-05-19 12:00:00.000`, UTC. */
export function clock(ms: number): string {
  return new Date(ms).toISOString().slice(0, 23).replace('T', ' ');
}

/** A whole number with its thousands apart. */
export function count(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 row`, `2 rows`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** An amount of money for a reader, two decimal places, thousands apart. */
export function money(value: number): string {
  const [whole = '', cents = ''] = Math.abs(value).toFixed(2).split('.');
  const sign = value < 0 && Number(Math.abs(value).toFixed(2)) !== 0 ? '-' : '';
  return `${sign}${whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')}.${cents}`;
}

/** A number with at most eight significant digits, without needless zeros. */
export function short(value: number): string {
  return String(Number(value.toPrecision(8)));
}

/** As many of an id's digits as tell it from others, as a rule. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** Time spans for people: `85 ms`, `2.5 s`, `3 min 20 s`, `2 h 5 min`. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1_000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1_000);
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  const parts =
    hours > 0
      ? [
          [hours, 'h'],
          [minutes, 'min'],
        ]
      : [
          [minutes, 'min'],
          [seconds % 60, 's'],
        ];
  return parts
    .filter(([value], index) => index === 0 || value !== 0)
    .map((part) => part.join(' '))
    .join(' ');
}

/** Cuts a text to one line of at most so many characters. */
export function cut(text: string, length: number): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

/** A text that does nothing to a terminal: what feeds and files say may hold control characters. */
export function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
}
