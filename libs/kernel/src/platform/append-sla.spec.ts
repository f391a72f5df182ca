import { validateEvent } from '@moon/events';
import { MemoryEventStore } from '../memory/memory-event-store';
import type { LogRow } from '../ports/event-store';
import { LiveBed } from '../testing/live-bed';
import { T0, tick } from '../testing/venue-desk';
import { appendSla } from './append-sla';

/** A store that takes its time, wall ms, for each batch. */
class SlowStore extends MemoryEventStore {
  constructor(private readonly delayMs: number) {
    super();
  }

  override async appendBatch(rows: readonly LogRow[]): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    await super.appendBatch(rows);
  }
}

/** A runtime that has written 210 batches to a store that takes `delayMs` for each. */
async function written(delayMs: number) {
  const problems: Record<string, unknown>[] = [];
  let isOver = false;
  const done = new Promise<void>((resolve) => {
    let batches = 0;
    const watch = appendSla({
      point: () => ({ at: T0 + 7, seq: bed.engine.lastSeq, headers: { mode: 'live' } }),
      submit: (event) => bed.submit(event),
      onProblem: (_message, context) => problems.push(context),
    });
    const onWritten = (_rows: number, elapsedMs: number): void => {
      watch(elapsedMs);
      batches += 1;
      if (batches < 210) bed.submit(tick('BTC.HYPERLIQUID', batches, 50_000));
      else if (!isOver) {
        isOver = true;
        setImmediate(resolve);
      }
    };
    const bed: LiveBed = new LiveBed({ handlers: [], store: new SlowStore(delayMs), onWritten });
    opened = bed;
    bed.start([tick('BTC.HYPERLIQUID', 0, 50_000)]);
  });
  await done;
  const rows = await opened.rows();
  return { problems, found: rows.flatMap(({ event }) => (event.type === 'metric.sla_violation' ? [event] : [])) };
}
let opened: LiveBed;

describe('The service level of an append', () => {
  it('[EVT-5] a store that is too slow is a metric.sla_violation in the log, once, with the figure and its bound', async () => {
    const { found, problems } = await written(12);
    expect(found).toHaveLength(1);
    const [event] = found;
    expect(() => validateEvent(event)).not.toThrow();
    expect(event?.data).toMatchObject({ metric: 'event_store_append_p99', bound: 10, unit: 'ms', timestamp: T0 + 7 });
    expect(event?.data.value).toBeGreaterThan(10);
    expect(problems).toEqual([{ p99Ms: event?.data.value, boundMs: 10 }]);
  }, 30_000);
});
