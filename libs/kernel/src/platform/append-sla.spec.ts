import type { Handler } from '@moon/domain';
import { validateEvent } from '@moon/events';
import { MemoryEventStore } from '../memory/memory-event-store';
import type { LogRow } from '../ports/event-store';
import { LiveBed, turns } from '../testing/live-bed';
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
  it('[EVS-4] events flow while the store takes its time: they are handled before they are stored', async () => {
    const handled: number[] = [];
    const listener: Handler<object> = {
      name: 'agent/listener',
      role: 'agent',
      partitionedBy: 'token',
      consumes: ['price.tick'],
      initialState: () => ({}),
      handle: (event) => void handled.push(event.occurredAt),
    };
    const stored: number[] = [];
    const bed = new LiveBed({
      handlers: [listener],
      store: new SlowStore(150),
      onWritten: (rows) => void stored.push(rows),
    }).start();
    for (let index = 0; index < 50; index += 1) bed.submit(tick('BTC.HYPERLIQUID', index, 50_000));
    await turns();
    expect(handled).toHaveLength(50);
    expect(stored).toEqual([]);
    while (stored.reduce((sum, rows) => sum + rows, 0) < 50) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await bed.rows()).toHaveLength(50);
  });

  it('[EVT-5] [EVS-4] a store that is too slow is a metric.sla_violation in the log, once, with the figure and its bound', async () => {
    const { found, problems } = await written(12);
    expect(found).toHaveLength(1);
    const [event] = found;
    expect(() => validateEvent(event)).not.toThrow();
    expect(event?.data).toMatchObject({ metric: 'event_store_append_p99', bound: 10, unit: 'ms', timestamp: T0 + 7 });
    expect(event?.data.value).toBeGreaterThan(10);
    expect(problems).toEqual([{ p99Ms: event?.data.value, boundMs: 10 }]);
  }, 30_000);
});
