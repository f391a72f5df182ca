import { derivedId, eventId, type AnyEvent } from '@moon/events';
import { MemoryProjectionCache, rebuildProjections, type LogRow } from '@moon/kernel';
import type { BenchFigure, BenchSize } from './figure';

/**
 * Projections rebuilt from a log of 10 million made-up events that is read as fast as it is asked for: of 100, 80 ticks of 20
 * instruments, 10 signals, 9 deltas of 5 portfolios, one parked key. Included: making each event, folding, canonical texts,
 * generations; the cache is in memory. Baseline in the same run: making the same rows and nothing else.
 */

const COUNT: Record<BenchSize, number> = { short: 100_000, full: 10_000_000 };
const T0 = Date.UTC(2026, 0, 5);
const ROOT = eventId('bench-rebuild');

function rowAt(seq: number, versions: number[]): LogRow {
  const at = T0 + seq;
  const id = derivedId(ROOT, 'bench', seq);
  const kind = seq % 100;
  const number = Math.floor(seq / 100) % 20;
  const base = { id, schemaVersion: 1, source: 'bench', occurredAt: at, correlationId: id, causationId: null };
  const token = `T${number}`;
  if (kind === 0) {
    versions[5] = (versions[5] ?? 0) + 1;
    const data = { event_type: 'key.parked', handler: 'execution', handlerKey: token, eventId: id, seq, timestamp: at };
    const event = { ...base, type: 'key.parked', key: token, data } as AnyEvent;
    return { seq, event, streamId: 'audit', version: versions[5] };
  }
  if (kind < 10) {
    const portfolio = seq % 5;
    const version = (versions[portfolio] = (versions[portfolio] ?? 0) + 1);
    const delta = { changed_fields: ['equity', 'exposure'], new_equity: 50_000 + seq, new_exposure: seq };
    const data = { event_type: 'state.changed', delta, portfolio: `p${portfolio}`, version, timestamp: at };
    return { seq, event: { ...base, type: 'state.changed', key: `p${portfolio}`, data } as unknown as AnyEvent };
  }
  if (kind < 20) {
    const data = {
      event_type: 'signal.generated',
      token,
      action: 'BUY',
      score: 70,
      confidence: 0.8,
      agent: 'chart_agent',
    };
    const event = { ...base, type: 'signal.generated', key: token, data: { ...data, reason: 'bench', timestamp: at } };
    return { seq, event: event as AnyEvent };
  }
  const data = {
    event_type: 'price.tick',
    token,
    price: 100 + kind,
    volume_1m: 1e6,
    timestamp: at,
    instrument: `${token}.X`,
  };
  return { seq, event: { ...base, type: 'price.tick', key: token, data: { ...data, kind: 'last' } } as AnyEvent };
}

export async function run(size: BenchSize = 'full'): Promise<BenchFigure[]> {
  const cache = new MemoryProjectionCache();
  await cache.open('1');
  await rates(cache, '2', COUNT.short);
  const [value, baseline] = await rates(cache, '3', COUNT[size]);
  return [
    {
      ...{ bench: 'rebuild-projections', metric: `events folded and written, of ${COUNT[size]}`, unit: '1/s' },
      ...{ value, baseline, ratio: value / baseline },
    },
  ];
}

/** @returns events a second, rebuilt and only read */
async function rates(cache: MemoryProjectionCache, generation: string, count: number): Promise<[number, number]> {
  let started = performance.now();
  let seen = 0;
  for await (const row of log(count)(0)) seen += row.seq > 0 ? 1 : 0;
  const plain = seen / ((performance.now() - started) / 1_000);
  started = performance.now();
  const { events, keys } = await rebuildProjections({
    ...{ read: log(count), cut: count, cache, generation },
    pause: () => new Promise((resolve) => setTimeout(resolve, 1)),
  });
  const rebuilt = events / ((performance.now() - started) / 1_000);
  if (events !== count || keys !== 46) throw new Error(`${events} events gave ${keys} keys instead of 46.`);
  return [rebuilt, plain];
}

/** A log of so many rows, each made when it is read: 10 million would not fit into memory. */
function log(count: number): (afterSeq: number) => AsyncIterable<LogRow> {
  const versions: number[] = [];
  return async function* (afterSeq) {
    for (let seq = afterSeq + 1; seq <= count; seq += 1) yield rowAt(seq, versions);
  };
}
