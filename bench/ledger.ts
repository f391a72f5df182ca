import {
  decideFill,
  evolvePortfolio,
  findInstrument,
  fromNumber,
  type Instrument,
  type PortfolioFill,
  type PortfolioState,
} from '@moon/domain';
import { DEFINITIONS } from '@moon/events';
import { median, type BenchFigure } from './figure';

const INSTRUMENT = 'BTC.HYPERLIQUID';
const FILLS = 50_000;
const REPEATS = 5;
const START = 1_700_000_000_000;

interface NumericFill {
  side: 1 | -1;
  quantity: number;
  price: number;
  fee: number;
}

/** A repeatable sequence that adds, reduces, closes and flips. */
function numericFills(): NumericFill[] {
  const fills: NumericFill[] = [];
  let seed = 3;
  let price = 50_000;
  const next = (): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return seed / 0x7fffffff;
  };
  for (let index = 0; index < FILLS; index++) {
    price = Math.round(price * (1 + (next() - 0.5) * 0.002));
    const quantity = Math.ceil(next() * 4) / 4;
    fills.push({ side: next() < 0.5 ? 1 : -1, quantity, price, fee: Number((price * quantity * 0.00045).toFixed(6)) });
  }
  return fills;
}

function ledgerFills(fills: readonly NumericFill[]): PortfolioFill[] {
  return fills.map(({ side, quantity, price, fee }, index) => ({
    order_id: '7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04',
    fillId: String(index),
    token: 'BTC',
    instrument: INSTRUMENT,
    side: side > 0 ? 'buy' : 'sell',
    quantity: fromNumber(quantity),
    price: fromNumber(price),
    fee: fromNumber(fee),
    feeAsset: 'USDC',
    timestamp: START + index,
  }));
}

/** The same book-keeping in float64, kept in one object: what exactness is measured against. */
function bookFloat(fills: readonly NumericFill[]): number {
  const books = { cash: 1_000_000, quantity: 0, cost: 0, realised: 0, fees: 0 };
  for (const { side, quantity, price, fee } of fills) {
    const signed = side * quantity;
    const closed = books.quantity * signed < 0 ? Math.min(Math.abs(books.quantity), quantity) : 0;
    const cost = closed === 0 ? 0 : (books.cost * closed) / Math.abs(books.quantity);
    const realised = closed === 0 ? 0 : -(side * closed * price) - cost;
    books.cost += side * (quantity - closed) * price - cost;
    books.quantity += signed;
    books.realised += realised;
    books.fees += fee;
    books.cash += realised - fee;
  }
  return books.cash;
}

function openPortfolio(): PortfolioState {
  const { event_type: _type, ...opened } = DEFINITIONS['portfolio.opened'].example;
  const open = evolvePortfolio(undefined, { type: 'portfolio.opened', data: opened });
  const deposit = { portfolio: opened.portfolio, amount: '1000000', asset: 'USDC', timestamp: START };
  return evolvePortfolio(open, { type: 'portfolio.deposited', data: deposit });
}

/** decide and evolve: the events of each fill, and the books after it. */
function bookExact(fills: readonly PortfolioFill[], instrument: Instrument): string {
  let state = openPortfolio();
  for (const fill of fills) {
    const decision = decideFill(state, fill, instrument);
    if ('refused' in decision) throw new Error(decision.refused.message);
    for (const event of decision.events) state = evolvePortfolio(state, event);
  }
  return state.cash;
}

function microseconds(work: () => unknown): number {
  const from = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - from) / 1_000 / FILLS;
}

/** One fill in the exact ledger (decimal strings, events made and folded; no persistence, validation or hashing) beside float64. */
export async function run(): Promise<BenchFigure[]> {
  const instrument = findInstrument(INSTRUMENT);
  if (instrument === undefined) throw new Error(`${INSTRUMENT} is not known.`);
  const fills = numericFills();
  const exact = ledgerFills(fills);
  bookExact(exact, instrument);
  bookFloat(fills);
  const values: number[] = [];
  const baselines: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    values.push(microseconds(() => bookExact(exact, instrument)));
    baselines.push(microseconds(() => bookFloat(fills)));
  }
  const value = median(values);
  const baseline = median(baselines);
  const metric = 'µs per fill booked, exact decimals; baseline: float64';
  return [{ bench: 'ledger', metric, value, unit: 'µs', baseline, ratio: value / baseline }];
}
