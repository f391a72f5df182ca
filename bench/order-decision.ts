import { createExecution, INSTRUMENTS, recordOutbox, type ExecutionState, type Handler } from '@moon/domain';
import { DEFINITIONS, eventId, type AnyEvent, type EmitData, type EventType } from '@moon/events';
import { median, type BenchFigure } from './figure';

const START = 1_700_000_000_000;
const POSITIONS = 20;
const APPROVALS = 2_000;
/** Orders that are on their way at most. */
const IN_FLIGHT = 3;
const SECOND = 1_000;
const REPEATS = 5;
const PRICE = 100;

const instruments = INSTRUMENTS.filter(({ kind, settlement }) => kind === 'linear' && settlement === 'USDC').slice(
  0,
  POSITIONS,
);

function event<T extends EventType>(type: T, key: string, id: string, data: EmitData<T>): AnyEvent {
  const head = { id, type, schemaVersion: 1, source: 'bench', key, occurredAt: START, correlationId: id };
  return { ...head, causationId: null, data: { event_type: type, ...data } } as unknown as AnyEvent;
}

/** The owner of a portfolio with 20 positions, priced and reconciled; `maxLeverage` decides whether orders fit. */
function owning(maxLeverage: number): { owner: Handler<ExecutionState>; state: ExecutionState } {
  const owner = createExecution();
  const state = owner.initialState('main');
  const out = recordOutbox(START, 'main');
  const give = <T extends EventType>(type: T, data: EmitData<T>) =>
    owner.handle(event(type, 'main', eventId('bench', type, JSON.stringify(data)), data), state, out);
  give('portfolio.opened', {
    portfolio: 'main',
    accountModel: 'margin',
    marginMode: 'isolated',
    settlementAsset: 'USDC',
    ledgerScale: 12,
    instruments: instruments.map(({ id }) => ({ instrument: id, leverage: 2, priceSource: id })),
    subscriptions: { consensus: true, agents: [], instruments: [] },
    limits: { max_leverage: maxLeverage, duplicate_order: 0, price_stale: 86_400_000 },
    sizing: { mode: 'fraction', fraction: 0.002, scaleByConfidence: true },
    timestamp: START,
  });
  give('portfolio.deposited', { portfolio: 'main', amount: '100000', asset: 'USDC', timestamp: START });
  give('portfolio.reconciled', { portfolio: 'main', differences: [], timestamp: START });
  for (const { id: instrument, token } of instruments) {
    const position = {
      portfolio: 'main',
      token,
      instrument,
      side: 'long',
      quantity: '50',
      price: String(PRICE),
    } as const;
    give('portfolio.position_opened', { ...position, timestamp: START });
    give('price.tick', { token, price: PRICE, volume_1m: 0, timestamp: START, instrument, kind: 'mark' });
  }
  return { owner, state };
}

function approvals(): AnyEvent[] {
  const example = DEFINITIONS['trade.consensus_approved'].example as unknown as EmitData<'trade.consensus_approved'>;
  return Array.from({ length: APPROVALS }, (_, index) => {
    const { token } = instruments[index % POSITIONS] as { token: string };
    const data = {
      ...example,
      token,
      recommended_action: 'BUY' as const,
      confidence: 0.8,
      sizeFactor: 1,
      timestamp: START,
    };
    return event('trade.consensus_approved', token, eventId('bench', 'approval', String(index)), data);
  });
}

/** µs for each approval, and how many of them were approved; the orders in flight are taken away when there are three. */
function decide(maxLeverage: number, events: readonly AnyEvent[]): { micros: number; approved: number } {
  const { owner, state } = owning(maxLeverage);
  let approved = 0;
  let nanos = 0n;
  events.forEach((approval, index) => {
    const out = recordOutbox(START + index * SECOND, 'main');
    const from = process.hrtime.bigint();
    owner.handle(approval, state, out);
    nanos += process.hrtime.bigint() - from;
    approved += out.emitted.filter(({ type }) => type === 'order.approved').length;
    if (index % IN_FLIGHT !== IN_FLIGHT - 1) return;
    for (const orderId of Object.keys(state.orders)) {
      owner.execute?.(
        { type: 'CancelOrder', key: 'main', orderId, reason: 'bench' },
        state,
        recordOutbox(START, 'main'),
      );
    }
  });
  return { micros: Number(nanos) / 1_000 / events.length, approved };
}

/** What ids alone cost: an order id for each approval, which is two SHA-1 of a short text. */
function idsOnly(events: readonly AnyEvent[]): number {
  const from = process.hrtime.bigint();
  for (const { id } of events) eventId('order', id, 'main');
  return Number(process.hrtime.bigint() - from) / 1_000 / events.length;
}

/**
 * From an approval to the decided order (EXE-2): routed, sized, judged by every limit, reserved – the owner's handler
 * alone, without queue, persistence, validation or hashing. 20 positions, up to two orders in flight. Baseline: the id.
 */
export async function run(): Promise<BenchFigure[]> {
  const events = approvals();
  const fits: number[] = [];
  const shrinks: number[] = [];
  const ids: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    ids.push(idsOnly(events));
    const roomy = decide(5, events);
    if (roomy.approved !== APPROVALS) throw new Error(`${roomy.approved} of ${APPROVALS} approvals fitted.`);
    fits.push(roomy.micros);
    // 100,000 of exposure on an equity of 100,000: room for half of an order.
    const tight = decide(1.0008, events);
    if (tight.approved !== Math.ceil(APPROVALS / IN_FLIGHT))
      throw new Error(`${tight.approved} orders were made to fit.`);
    shrinks.push(tight.micros);
  }
  const baseline = median(ids);
  const figure = (metric: string, values: number[]): BenchFigure => {
    const value = median(values);
    return { bench: 'order-decision', metric, value, unit: 'µs', baseline, ratio: value / baseline };
  };
  return [figure('approval → order, it fits', fits), figure('approval → order or refusal, no room', shrinks)];
}
