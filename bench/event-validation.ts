import { derivedId, fromCloudEvent, parseData, parseEvent, toCloudEvent } from '@moon/events';
import type { AnyEvent, EventData } from '@moon/events';
import Ajv from 'ajv';
import { median } from './figure';
import type { BenchFigure } from './figure';

/**
 * Event validation: JSON.parse + schema of `price.tick`, against JSON.parse + a bare ajv validator of the same shape
 * (types and required fields alone: no digits, no formats). Not included: reading from a socket, the queue, the store.
 */

const EVENTS = 2_000;
const ROUNDS = 100;
const REPEATS = 3;

/** A repeatable walk of prices, so that the texts differ. */
function ticks(): AnyEvent[] {
  let seed = 7;
  let price = 43_250;
  return Array.from({ length: EVENTS }, (_, index) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    price = Math.round((price + (seed / 0x7fffffff - 0.5) * 20) * 10) / 10;
    const id = derivedId('bench', 'price.tick', index);
    const timestamp = 1_729_950_000_000 + index * 37;
    const data: EventData<'price.tick'> = {
      event_type: 'price.tick',
      token: 'BTC',
      price,
      volume_1m: 1_500_000 + index,
      timestamp,
      instrument: 'BTC.HYPERLIQUID',
      kind: 'last',
      size: Math.round((seed % 1000) + 1) / 1000,
      side: seed % 2 ? 'buy' : 'sell',
    };
    const metadata = { id, schemaVersion: 1, source: 'bench', key: 'BTC', occurredAt: timestamp, correlationId: id };
    return { ...metadata, type: 'price.tick', causationId: null, data };
  });
}

function bareValidator(): (data: unknown) => boolean {
  const number = { type: 'number' };
  const text = { type: 'string' };
  const properties = {
    event_type: text,
    token: text,
    price: number,
    volume_1m: number,
    timestamp: number,
    instrument: text,
    kind: text,
    size: number,
    side: text,
    tradeId: text,
  };
  const required = ['event_type', 'token', 'price', 'volume_1m', 'timestamp', 'instrument', 'kind'];
  return new Ajv().compile({ type: 'object', properties, required, additionalProperties: false });
}

/** Calls a second, the median of three repeats. */
function rate<T>(inputs: readonly T[], call: (input: T) => unknown): number {
  const runs: number[] = [];
  for (let repeat = 0; repeat <= REPEATS; repeat += 1) {
    const started = process.hrtime.bigint();
    for (let round = 0; round < ROUNDS; round += 1) for (const input of inputs) call(input);
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    // The first run warms up.
    if (repeat > 0) runs.push((ROUNDS * inputs.length) / seconds);
  }
  return median(runs);
}

export async function run(): Promise<BenchFigure[]> {
  const events = ticks();
  const values = events.map((event) => JSON.stringify(event.data));
  const envelopes = events.map((event) => JSON.stringify(event));
  const messages = events.map((event) => toCloudEvent(event));
  const isBareTick = bareValidator();

  const bare = rate(values, (text) => isBareTick(JSON.parse(text)));
  const bareEnvelope = rate(envelopes, (text) => isBareTick((JSON.parse(text) as AnyEvent).data));
  const data = rate(values, (text) => parseData('price.tick', text));
  const envelope = rate(envelopes, (text) => parseEvent(text));
  const message = rate(messages, (cloudEvent) => fromCloudEvent(cloudEvent));
  const ids = rate(events, (event) => derivedId(event.id, 'agent/risk', 3));

  const figure = (metric: string, value: number, baseline: number | null): BenchFigure => ({
    bench: 'event-validation',
    metric,
    value: Math.round(value),
    unit: '1/s',
    baseline: baseline === null ? null : Math.round(baseline),
    ratio: baseline === null ? null : Math.round((value / baseline) * 1000) / 1000,
  });
  return [
    figure('price.tick data: JSON text parsed and validated', data, bare),
    figure('price.tick envelope: JSON text parsed and validated', envelope, bareEnvelope),
    figure('price.tick message (CloudEvents, binary): read and validated', message, bare),
    figure('derived id (UUIDv5)', ids, null),
  ];
}
