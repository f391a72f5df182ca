import { createRiskAgent, INSTRUMENTS, recordOutbox, type Handler, type RiskAgentState } from '@moon/domain';
import type { AnyEvent, EmitData, EventType } from '@moon/events';
import { median, type BenchFigure, type BenchSize } from './figure';

const START = 1_700_000_000_000;
const POSITIONS = 20;
const SIZES = { full: 200_000, short: 4_000 } as const;
const REPEATS = 5;
const PRICE = 100;

function event<T extends EventType>(type: T, key: string, occurredAt: number, data: EmitData<T>): AnyEvent {
  const id = '00000000-0000-5000-8000-000000000000';
  const head = { id, type, schemaVersion: 1, source: 'bench', key, occurredAt, correlationId: id, causationId: null };
  return { ...head, data: { event_type: type, ...data } } as unknown as AnyEvent;
}

/** Perpetuals of one venue that settle in one coin. */
const instruments = INSTRUMENTS.filter(({ kind, settlement }) => kind === 'linear' && settlement === 'USDC').slice(
  0,
  POSITIONS,
);

/** An agent that watches a portfolio with 20 positions, half of them short, far from every bound. */
function watching(marginMode: 'isolated' | 'cross'): { agent: Handler<RiskAgentState>; state: RiskAgentState } {
  const agent = createRiskAgent();
  const state = agent.initialState('main');
  const out = recordOutbox(START, 'main');
  const opened = event('portfolio.opened', 'main', START, {
    portfolio: 'main',
    accountModel: 'margin',
    marginMode,
    settlementAsset: 'USDC',
    ledgerScale: 12,
    instruments: instruments.map(({ id }) => ({ instrument: id, leverage: 2, priceSource: id })),
    subscriptions: { consensus: true, agents: [], instruments: [] },
    limits: {},
    sizing: { mode: 'fraction', fraction: 0.1, scaleByConfidence: true },
    timestamp: START,
  });
  const amount = { portfolio: 'main', amount: '10000', asset: 'USDC', timestamp: START };
  agent.handle(opened, state, out);
  agent.handle(event('portfolio.deposited', 'main', START, amount), state, out);
  instruments.forEach(({ id, token }, index) => {
    const side = index % 2 === 0 ? ('long' as const) : ('short' as const);
    const position = {
      portfolio: 'main',
      token,
      instrument: id,
      side,
      quantity: '5',
      price: String(PRICE),
      timestamp: START,
    };
    agent.handle(event('portfolio.position_opened', 'main', START, position), state, out);
  });
  if (Object.keys(state.portfolio?.positions ?? {}).length !== POSITIONS)
    throw new Error('The portfolio lacks positions.');
  return { agent, state };
}

/** Ticks of all instruments in turn, a walk within ±2 % so that no bound is broken. */
function ticks(count: number): AnyEvent[] {
  const prices = instruments.map(() => PRICE);
  let seed = 7;
  return Array.from({ length: count }, (_, index) => {
    const at = START + index;
    const which = index % POSITIONS;
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    const next = (prices[which] as number) * (1 + (seed / 0x7fffffff - 0.5) * 0.001);
    prices[which] = Math.min(102, Math.max(98, next));
    const price = Math.round((prices[which] as number) * 1e6) / 1e6;
    const { id, token } = instruments[which] as { id: string; token: string };
    return event('price.tick', token, at, { token, price, volume_1m: 0, timestamp: at, instrument: id, kind: 'mark' });
  });
}

function evaluate(marginMode: 'isolated' | 'cross', events: readonly AnyEvent[]): number {
  const { agent, state } = watching(marginMode);
  const out = recordOutbox(START, 'main');
  const from = process.hrtime.bigint();
  for (const tick of events) {
    (out as { now: number }).now = tick.occurredAt;
    agent.handle(tick, state, out);
  }
  const elapsed = Number(process.hrtime.bigint() - from) / 1_000 / events.length;
  if (out.emitted.length > 0) throw new Error(`The walk was to break no bound; ${out.emitted[0]?.type} came of it.`);
  return elapsed;
}

/** The least that a revaluation can be: the new price stored, value and liquidation distance of 20 positions in bare floats. */
function bareLoop(events: readonly AnyEvent[]): number {
  const quantities = Float64Array.from(instruments, (_, index) => (index % 2 === 0 ? 5 : -5));
  const marks = new Float64Array(POSITIONS).fill(PRICE);
  const from = process.hrtime.bigint();
  for (let index = 0; index < events.length; index++) {
    const tick = events[index] as AnyEvent;
    if (tick.type === 'price.tick') marks[index % POSITIONS] = tick.data.price;
    let equity = 10_000;
    let gross = 0;
    let nearest = 1;
    for (let at = 0; at < POSITIONS; at++) {
      const quantity = quantities[at] as number;
      const mark = marks[at] as number;
      equity += quantity * (mark - PRICE);
      gross += Math.abs(quantity * mark);
      const liquidation = (quantity * PRICE - 250) / (quantity - Math.abs(quantity) * 0.0125);
      nearest = Math.min(nearest, Math.abs(mark - liquidation) / mark);
    }
    if (gross / equity > 5 || nearest < 0.1) throw new Error('The walk was to break no bound.');
  }
  return Number(process.hrtime.bigint() - from) / 1_000 / events.length;
}

/**
 * Risk evaluation a tick with 20 positions: revaluation, leverage, drawdown, exposure, distances, price move – the
 * handler alone, without queue, persistence, validation or hashing. Baseline: the same sums in bare floats, in turn.
 */
export async function run(size: BenchSize = 'full'): Promise<BenchFigure[]> {
  const events = ticks(SIZES[size]);
  const measured: Record<'isolated' | 'cross' | 'bare', number[]> = { isolated: [], cross: [], bare: [] };
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    measured.bare.push(bareLoop(events));
    measured.isolated.push(evaluate('isolated', events));
    measured.cross.push(evaluate('cross', events));
  }
  const baseline = median(measured.bare);
  return (['isolated', 'cross'] as const).map((mode) => {
    const value = median(measured[mode]);
    const metric = `tick, 20 positions, ${mode}: handler only`;
    return { bench: 'risk-evaluation', metric, value, unit: 'µs', baseline, ratio: value / baseline };
  });
}
