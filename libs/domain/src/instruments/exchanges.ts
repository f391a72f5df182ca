import type { Decimal } from '../money';
import type { Instrument } from './instrument';
import { tokenOf } from './tokens';

/**
 * What all instruments of an exchange share, and how its symbols are read. Margin tiers other than HyperLiquid's are not
 * in our references: these exchanges are feeds here, and one cautious tier stands for theirs.
 */
interface Exchange {
  venue: string;
  read(symbol: string): { base: string; quote: string; kind: Instrument['kind']; expiry?: number } | undefined;
  fees: Instrument['fees'];
  maxLeverage: number;
  fundingIntervalHours: number | null;
  validTo?: number;
}

/** Price step, lot and smallest order value of the symbols whose rules we know. */
type Steps = readonly [tick: Decimal, lot: Decimal, minNotional: Decimal];
/** For a symbol known by its name only: fine enough for every recorded price and size, so no row is refused for its digits. */
const FINEST: Steps = ['0.00000001', '0.00000001', '0'];

const EXCHANGES: readonly Exchange[] = [
  {
    venue: 'BINANCE-SPOT',
    read: (symbol) => pair(symbol, ['FDUSD', 'USDT', 'USDC', 'BUSD', 'TUSD', 'EUR', 'BTC', 'ETH', 'BNB'], 'spot'),
    fees: { taker: 0.001, maker: 0.001 },
    maxLeverage: 1,
    fundingIntervalHours: null,
  },
  {
    venue: 'BINANCE-USDM',
    read: (symbol) => {
      const [name = '', date] = symbol.split('_');
      const read = pair(name, ['USDT', 'USDC', 'BUSD', 'BTC'], 'linear');
      return date === undefined ? read : dated(read, date);
    },
    fees: { taker: 0.0005, maker: 0.0002 },
    maxLeverage: 20,
    fundingIntervalHours: 8,
  },
  {
    venue: 'BINANCE-COINM',
    read: (symbol) => {
      const [name = '', date] = symbol.split('_');
      const read = pair(name, ['USD'], 'inverse');
      return date === 'PERP' ? read : dated(read, date ?? '');
    },
    fees: { taker: 0.0005, maker: 0.0002 },
    maxLeverage: 20,
    fundingIntervalHours: 8,
  },
  {
    venue: 'KRAKEN',
    read: (symbol) => pair(symbol.replace('/', ''), ['USDT', 'USDC', 'USD', 'EUR', 'XBT'], 'spot'),
    fees: { taker: 0.004, maker: 0.0025 },
    maxLeverage: 1,
    fundingIntervalHours: null,
  },
  {
    venue: 'FTX',
    read: (symbol) => {
      const base = /^([A-Z0-9]{1,20})-PERP$/.exec(symbol)?.[1];
      return base === undefined ? undefined : { base, quote: 'USD', kind: 'linear' };
    },
    fees: { taker: 0.0007, maker: 0.0002 },
    maxLeverage: 20,
    fundingIntervalHours: 1,
    validTo: Date.UTC(2022, 10, 11),
  },
];

/** Symbols of the recordings whose tick, lot and smallest order value are known (exchange information of 2024–2026). */
const KNOWN: Readonly<Record<string, Readonly<Record<string, Steps>>>> = {
  'BINANCE-SPOT': {
    BTCUSDT: ['0.01', '0.00001', '5'],
    ETHUSDT: ['0.01', '0.0001', '5'],
    SOLUSDT: ['0.01', '0.001', '5'],
  },
  'BINANCE-USDM': {
    BTCUSDT: ['0.1', '0.001', '100'],
    ETHUSDT: ['0.01', '0.001', '20'],
    SOLUSDT: ['0.01', '0.01', '5'],
    BNBUSDT: ['0.01', '0.01', '5'],
    XRPUSDT: ['0.0001', '0.1', '5'],
    DOGEUSDT: ['0.00001', '1', '5'],
    WIFUSDT: ['0.0001', '0.1', '5'],
  },
  'BINANCE-COINM': { BTCUSD_PERP: ['0.1', '1', '0'], ETHUSD_PERP: ['0.01', '1', '0'] },
  KRAKEN: { XBTUSDT: ['0.1', '0.00000001', '0.5'] },
  FTX: { 'BTC-PERP': ['1', '0.0001', '0'] },
};

/** All exchange instruments whose digits are known. */
export function exchangeInstruments(): Instrument[] {
  return EXCHANGES.flatMap((exchange) =>
    Object.keys(KNOWN[exchange.venue] ?? {}).flatMap((symbol) => define(exchange, symbol) ?? []),
  );
}

/** The instrument that the exchange's naming rule gives for a symbol; undefined when the name does not follow it. */
export function deriveExchange(venue: string, symbol: string): Instrument | undefined {
  const exchange = EXCHANGES.find((one) => one.venue === venue);
  return exchange === undefined ? undefined : define(exchange, symbol);
}

function define(exchange: Exchange, symbol: string): Instrument | undefined {
  const read = exchange.read(symbol);
  if (read === undefined) return undefined;
  const { base, quote, kind, expiry } = read;
  const steps = KNOWN[exchange.venue];
  const known = steps !== undefined && Object.hasOwn(steps, symbol) ? steps[symbol] : undefined;
  const [tick, lot, minNotional] = known ?? FINEST;
  return {
    id: `${symbol}.${exchange.venue}`,
    venue: exchange.venue,
    symbol,
    token: tokenOf(base),
    base,
    quote,
    settlement: kind === 'inverse' ? base : quote,
    kind,
    priceRule: { type: 'tick', tick },
    lot: kind === 'inverse' ? '1' : lot,
    minNotional,
    multiplier: kind === 'inverse' ? (base === 'BTC' ? '100' : '10') : '1',
    maxLeverage: exchange.maxLeverage,
    marginTiers: kind === 'spot' ? [] : [{ lowerBound: '0', maxLeverage: exchange.maxLeverage }],
    fees: exchange.fees,
    fundingIntervalHours: expiry === undefined ? exchange.fundingIntervalHours : null,
    validFrom: null,
    validTo: expiry ?? exchange.validTo ?? null,
  };
}

type Read = ReturnType<Exchange['read']>;

/** Splits `BTCUSDT` by the first of `quotes` that it ends in; the base is what is left. */
function pair(name: string, quotes: readonly string[], kind: Instrument['kind']): Read {
  if (!/^[A-Z0-9]{2,30}$/.test(name)) return undefined;
  const quote = quotes.find((one) => name.endsWith(one) && name.length > one.length);
  return quote === undefined ? undefined : { base: name.slice(0, -quote.length), quote, kind };
}

/** A future that Binance settles at 08:00 UTC of the day YYMMDD in its name. */
function dated(read: Read, date: string): Read {
  const [, year, month, day] = /^(\d\d)(\d\d)(\d\d)$/.exec(date) ?? [];
  if (read === undefined || year === undefined) return undefined;
  return { ...read, expiry: Date.UTC(2000 + Number(year), Number(month) - 1, Number(day), 8) };
}
