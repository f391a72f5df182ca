/** One product of a sum: `factor` × `share` × (`plus` − `minus`), all of them finite and not negative. */
export interface Term {
  factor: number;
  share: number;
  plus: number;
  minus: number;
}

/** Below this magnitude float64 products may have lost digits to underflow, so they prove nothing. */
const UNDERFLOW = 1e-280;

/**
 * The sign (−1, 0, 1) of Σ factor × share × (plus − minus), exact in the decimal values that the numbers are written
 * with: 0.1 is one tenth, not its nearest binary fraction. So the answer knows no order of addition.
 *
 * Float64 decides when the sum is clear of its own error. Each term's error is below 6 units of 2⁻⁵³ of
 * factor × share × (plus + minus): one for each of the four numbers read and one for each of the operations; adding
 * n terms costs at most n units of the same magnitudes. Twice that is the bound used here. Only sums inside it, which
 * are ties or look like ties, are computed with whole numbers.
 */
export function exactSign(terms: readonly Term[]): -1 | 0 | 1 {
  let sum = 0;
  let magnitude = 0;
  for (const { factor, share, plus, minus } of terms) {
    const weight = factor * share;
    sum += weight * (plus - minus);
    magnitude += weight * (plus + minus);
  }
  const error = magnitude * (terms.length + 8) * Number.EPSILON + UNDERFLOW;
  if (sum > error) return 1;
  if (sum < -error) return -1;
  return signOfDecimals(terms);
}

interface Scaled {
  units: bigint;
  /** The value is units ÷ 10^places. */
  places: number;
}

function signOfDecimals(terms: readonly Term[]): -1 | 0 | 1 {
  const products = terms.map(({ factor, share, plus, minus }) => {
    const more = scaled(plus);
    const less = scaled(minus);
    const places = Math.max(more.places, less.places);
    const difference: Scaled = { units: unitsAt(more, places) - unitsAt(less, places), places };
    return times(times(scaled(factor), scaled(share)), difference);
  });
  const places = products.reduce((most, product) => Math.max(most, product.places), 0);
  const sum = products.reduce((total, product) => total + unitsAt(product, places), 0n);
  if (sum === 0n) return 0;
  return sum > 0n ? 1 : -1;
}

function scaled(value: number): Scaled {
  const [mantissa = '0', exponent = '0'] = String(value).split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  const places = fraction.length - Number(exponent);
  const units = BigInt(whole + fraction);
  return places >= 0 ? { units, places } : { units: units * 10n ** BigInt(-places), places: 0 };
}

function times(a: Scaled, b: Scaled): Scaled {
  return { units: a.units * b.units, places: a.places + b.places };
}

function unitsAt({ units, places }: Scaled, at: number): bigint {
  return units * 10n ** BigInt(at - places);
}
