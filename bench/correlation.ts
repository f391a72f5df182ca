import { createCorrelationAgent, createSentimentNormaliser, recordOutbox, type Handler } from '@moon/domain';
import { eventId, type AnyEvent, type EmitData, type EventType } from '@moon/events';
import { median, type BenchFigure } from './figure';

const START = Date.UTC(2026, 5, 1);
const MINUTE = 60_000;
const MINUTES = 120;
const UPDATES_A_SECOND = 60;
const REPEATS = 3;

function event<T extends EventType>(type: T, occurredAt: number, data: EmitData<T>): AnyEvent {
  const id = eventId('bench', type, String(occurredAt));
  const envelope = { id, type, schemaVersion: 1, source: 'bench', key: 'BTC', occurredAt, correlationId: id };
  return { ...envelope, causationId: null, data: { event_type: type, ...data } } as unknown as AnyEvent;
}

/** 60 readings a second of one source, and a bar a minute; both follow the same slow wave, so there is something to find. */
function inputs(): AnyEvent[] {
  const events: AnyEvent[] = [];
  for (let minute = 0; minute < MINUTES; minute += 1) {
    for (let i = 0; i < 60 * UPDATES_A_SECOND; i += 1) {
      const at = START + minute * MINUTE + Math.floor((i * 1_000) / UPDATES_A_SECOND);
      const wave = 0.4 * Math.sin(at / 1_200_000) + 0.5 * Math.sin(i * 1.7);
      const score = Math.round(wave * 1_000) / 1_000;
      const data = { token: 'BTC', source: 'posts', score, scaleMin: -1, scaleMax: 1, text: '', timestamp: at };
      events.push(event('market.sentiment', at, data));
    }
    const timestamp = START + (minute + 1) * MINUTE;
    const close = Math.round(50_000 + 800 * Math.sin(timestamp / 1_200_000));
    const names = { token: 'BTC', instrument: 'BTCUSDT.BINANCE-SPOT', intervalMs: MINUTE, volume: 1 };
    const prices = { open: close, high: close, low: close, close };
    events.push(event('bar.closed', timestamp, { ...names, ...prices, timestamp, openedAt: timestamp - MINUTE }));
  }
  return events;
}

interface Timed {
  update: number[];
  correlation: number[];
  detections: number;
}

/** Reading → normaliser → `sentiment.update` → correlation agent, and each bar → coefficient; microseconds of each step. */
function drive(events: readonly AnyEvent[]): Timed {
  const normaliser = createSentimentNormaliser() as Handler<unknown>;
  const agent = createCorrelationAgent() as Handler<unknown>;
  const [known, states] = [normaliser.initialState('BTC'), agent.initialState('BTC')];
  const timed: Timed = { update: [], correlation: [], detections: 0 };
  for (const one of events) {
    const outbox = recordOutbox(one.occurredAt, 'BTC');
    const began = process.hrtime.bigint();
    if (one.type === 'bar.closed') agent.handle(one, states, outbox);
    else {
      normaliser.handle(one, known, outbox);
      const update = outbox.emitted[0]?.data as EmitData<'sentiment.update'>;
      agent.handle(event('sentiment.update', one.occurredAt, update), states, recordOutbox(one.occurredAt, 'BTC'));
    }
    const took = Number(process.hrtime.bigint() - began) / 1_000;
    timed[one.type === 'bar.closed' ? 'correlation' : 'update'].push(took);
    timed.detections += outbox.emitted.filter((emitted) => emitted.type === 'correlation.detected').length;
  }
  return timed;
}

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * q)] ?? Number.NaN;

/**
 * US5-3: two hours of 60 sentiment readings a second and a bar a minute, through normaliser (schema check included) and
 * correlation agent. No persistence. The baselines are the design document's bounds, 200 ms an update and 100 ms a correlation.
 */
export async function run(): Promise<BenchFigure[]> {
  const events = inputs();
  const runs = Array.from({ length: REPEATS }, () => drive(events));
  if (runs.some((one) => one.detections === 0))
    throw new Error('Nothing was detected in a series that moves together.');
  const steps = [
    { step: 'update', name: 'sentiment update', bound: 200_000 },
    { step: 'correlation', name: 'correlation a bar', bound: 100_000 },
  ] as const;
  return steps.flatMap(({ step, name, bound }) =>
    [0.5, 0.99].map((q) => {
      const value = median(runs.map((one) => quantile(one[step], q)));
      const metric = `${name}, p${q * 100} at ${UPDATES_A_SECOND} updates/s`;
      return { bench: 'correlation', metric, value, unit: 'µs', baseline: bound, ratio: value / bound };
    }),
  );
}
