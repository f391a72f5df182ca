import { cmp, div, mul, roundTo, type Decimal } from '../money';
import type { Instrument, PriceRule } from './instrument';

/**
 * The price that the venue accepts, rounded to the safe side for the one who orders: a buy never dearer, a sell never
 * cheaper than asked. A price that is fine as it is stays. By the rule of significant figures whole numbers are always
 * fine, but what must be rounded is cut to the figures first: 123456.7 becomes 123450, as HyperLiquid's SDKs send it.
 *
 * @throws RangeError when nothing above zero is left
 */
export function roundPrice(instrument: Instrument, price: Decimal, side: 'buy' | 'sell'): Decimal {
  const unit = priceUnit(instrument.priceRule, price);
  const rounded = isOnTick(instrument, price)
    ? roundTo(price, 18, 'down')
    : multiple(price, unit, side === 'buy' ? 'down' : 'up');
  if (cmp(rounded, '0') <= 0)
    throw new RangeError(`${instrument.id}: a ${side} price of ${price} rounds to ${rounded}.`);
  return rounded;
}

/** The largest whole number of lots that is not more than `quantity`; '0' when that is none. Never up. */
export function roundQuantityDown(instrument: Instrument, quantity: Decimal): Decimal {
  return multiple(quantity, instrument.lot, 'down');
}

/** Whether the venue accepts the digits of this price. */
export function isOnTick(instrument: Instrument, price: Decimal): boolean {
  const rule = instrument.priceRule;
  if (cmp(price, '0') <= 0) return false;
  if (rule.type === 'significant' && isMultiple(price, '1')) return true;
  return isMultiple(price, priceUnit(rule, price));
}

/** Whether `quantity` is a whole number of lots, at least one. */
export function isOnLot(instrument: Instrument, quantity: Decimal): boolean {
  return cmp(quantity, '0') > 0 && isMultiple(quantity, instrument.lot);
}

/** The smallest step at this price: the tick, or the place of the last significant figure that counts. */
function priceUnit(rule: PriceRule, price: Decimal): Decimal {
  if (rule.type === 'tick') return rule.tick;
  const decimals = Math.min(rule.maxDecimals, rule.figures - 1 - exponentOf(price));
  return decimals >= 0 ? (decimals === 0 ? '1' : `0.${'0'.repeat(decimals - 1)}1`) : `1${'0'.repeat(-decimals)}`;
}

/** Power of ten of the first significant digit: 4 for 97123.4, −3 for 0.0012. */
function exponentOf(price: Decimal): number {
  const [whole = '', fraction = ''] = price.replace('-', '').split('.');
  const digits = whole.replace(/^0+/, '');
  return digits !== '' ? digits.length - 1 : -(fraction.search(/[1-9]/) + 1);
}

function multiple(value: Decimal, unit: Decimal, rounding: 'down' | 'up'): Decimal {
  return mul(div(value, unit, 0, rounding), unit);
}

function isMultiple(value: Decimal, unit: Decimal): boolean {
  return cmp(multiple(value, unit, 'down'), value) === 0;
}
