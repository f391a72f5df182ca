export {
  abs,
  add,
  canonical,
  cmp,
  DEFAULT_LEDGER_SCALE,
  div,
  isZero,
  ledger,
  max,
  min,
  mul,
  mulDiv,
  neg,
  roundTo,
  sign,
  sub,
} from './decimal';
export { fromNumber, num15, toNumber } from './numbers';
export type { Decimal, Rounding } from './scaled';
