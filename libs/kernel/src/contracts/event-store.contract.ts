import { CATALOG, eventId } from '@moon/events';
import type { AnyEvent, EventType } from '@moon/events';
import { ConcurrencyConflict, LogDiverged } from '../ports/event-store';
import type { EventQuery, EventStore, LogRow } from '../ports/event-store';

/** A store under test. */
export interface EventStoreHarness {
  store: EventStore;
  /** A second one on the same log, as after a restart or in another process. */
  again?: () => Promise<EventStore>;
  close: () => Promise<void>;
}

export interface EventStoreContract {
  name: string;
  create: () => Promise<EventStoreHarness>;
  /** True when the harness can open the same log `again`. */
  isShared: boolean;
}

const T0 = Date.UTC(2024, 0, 31, 23, 59, 0);
const MINUTE = 60_000;

/** A tick; `seq` minutes after T0 unless said otherwise. */
export function tickRow(seq: number, changes: { token?: string; at?: number; price?: number } = {}): LogRow {
  const { token = 'BTC', at = T0 + seq * MINUTE, price = 100 + seq } = changes;
  const id = eventId('contract-tick', token, String(seq), String(price));
  const data = {
    event_type: 'price.tick',
    token,
    price,
    volume_1m: 0,
    timestamp: at,
    instrument: `${token}.X`,
    kind: 'last',
  };
  return { seq, event: envelope(id, 'price.tick', token, at, data) };
}

/** A deposit: the `version`-th event of the portfolio's stream. */
export function depositRow(seq: number, version: number, portfolio = 'main', amount = '1'): LogRow {
  const id = eventId('contract-deposit', portfolio, String(seq), amount);
  const at = T0 + seq * MINUTE;
  const data = { event_type: 'portfolio.deposited', portfolio, amount, asset: 'USDC', timestamp: at };
  const event = envelope(id, 'portfolio.deposited', portfolio, at, data);
  return { seq, event, streamId: `portfolio-${portfolio}`, version };
}

/** One that the catalog knows, so that a bus may carry the event, too. */
function sourceOf(type: EventType): string {
  const emitter = CATALOG[type].emitters[0]!;
  return emitter.endsWith('/') ? `${emitter}contract` : emitter;
}

function envelope(id: string, type: EventType, key: string, occurredAt: number, data: object): AnyEvent {
  const { schemaVersion } = CATALOG[type];
  const metadata = {
    id,
    type,
    schemaVersion,
    source: sourceOf(type),
    key,
    occurredAt,
    correlationId: id,
    causationId: null,
  };
  return { ...metadata, data } as unknown as AnyEvent;
}

async function collect(rows: AsyncIterable<LogRow>): Promise<LogRow[]> {
  const all: LogRow[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

const caused = (row: LogRow, cause: AnyEvent): LogRow => ({
  ...row,
  event: { ...row.event, causationId: cause.id, correlationId: cause.correlationId } as AnyEvent,
});

/** What the platform relies on, of every event store. */
export function describeEventStore({ name, create, isShared }: EventStoreContract): void {
  describe(`event store contract: ${name}`, () => {
    let harness: EventStoreHarness;
    let store: EventStore;

    beforeEach(async () => {
      harness = await create();
      store = harness.store;
    });
    afterEach(() => harness.close());

    const all = (from = 0, limit?: number): Promise<LogRow[]> => collect(store.readLog(from, limit));
    const pages = async (query: EventQuery): Promise<number[][]> => {
      const found: number[][] = [];
      for (let cursor: string | undefined; ;) {
        const page = await store.query({ ...query, ...(cursor !== undefined && { cursor }) });
        found.push(page.rows.map(({ seq }) => seq));
        if (page.cursor === null) return found;
        cursor = page.cursor;
      }
    };

    it('is empty at first', async () => {
      expect(await store.lastSeq()).toBe(0);
      expect(await all()).toEqual([]);
      expect(await store.latestCheckpoint()).toBeNull();
      expect(await store.loadSnapshot('portfolio-main')).toBeNull();
      expect(await store.countsByType()).toEqual({});
    });

    it('gives back what was appended, whole and in order, from both tables', async () => {
      const first = tickRow(1);
      const second = caused(depositRow(2, 1), first.event);
      const third = {
        ...tickRow(3),
        event: { ...tickRow(3).event, headers: { mode: 'recorded', warmup: true } } as AnyEvent,
      };
      await store.appendBatch([first, second]);
      await store.appendBatch([third]);
      await store.appendBatch([]);
      expect(await all()).toEqual([first, second, third]);
      expect(await store.lastSeq()).toBe(3);
      expect(await store.countsByType()).toEqual({ 'portfolio.deposited': 1, 'price.tick': 2 });
    });

    it('keeps numbers, texts and the order of keys as they were', async () => {
      const data = {
        event_type: 'config.activated',
        runId: 'r',
        codeVersion: '0.1.0',
        values: { zulu: 1, a: 0.1, bb: 1e-7, deep: { y: [1e21, -5, true, null], x: '\\ " \n \u2028 ☃ 😀' } },
        timestamp: T0,
      };
      const row = {
        seq: 1,
        event: envelope(eventId('c'), 'config.activated', 'system', T0, data),
        streamId: 'config',
        version: 1,
      };
      await store.appendBatch([row]);
      const [read] = await all();
      expect(JSON.stringify(read!.event.data)).toBe(JSON.stringify(data));
    });

    it('reads a piece of the log, across months and years', async () => {
      const rows = [2014, 2015, 2021, 2026].flatMap((year, index) =>
        [0, 1, 2].map((step) => tickRow(index * 3 + step + 1, { at: Date.UTC(year, 11, 31, 23, 59) + step * MINUTE })),
      );
      await store.appendBatch(rows.slice(0, 5));
      await store.appendBatch(rows.slice(5));
      expect(await all(4, 3)).toEqual(rows.slice(4, 7));
      expect(await all(11)).toEqual(rows.slice(11));
      expect(await all(12)).toEqual([]);
      for await (const row of store.readLog(6)) {
        expect(row).toEqual(rows[6]);
        break;
      }
    });

    it('reads a log of many pages', async () => {
      const rows = Array.from({ length: 12_345 }, (_, index) => tickRow(index + 1, { at: T0 + index }));
      for (let at = 0; at < rows.length; at += 997) await store.appendBatch(rows.slice(at, at + 997));
      expect((await all()).map(({ seq }) => seq)).toEqual(rows.map(({ seq }) => seq));
      expect((await all(7_000, 4_000)).map(({ seq }) => seq)).toEqual(rows.slice(7_000, 11_000).map(({ seq }) => seq));
    });

    it('takes the same batch again without doubling it', async () => {
      const rows = [tickRow(1), depositRow(2, 1), depositRow(3, 2), tickRow(4)];
      await store.appendBatch(rows);
      await store.appendBatch(rows);
      await store.appendBatch(rows.slice(1, 3));
      expect(await all()).toEqual(rows);
    });

    it('takes a batch of which a part is there already', async () => {
      const rows = [tickRow(1), depositRow(2, 1), tickRow(3), depositRow(4, 2), tickRow(5)];
      await store.appendBatch(rows.slice(0, 3));
      await store.appendBatch(rows);
      expect(await all()).toEqual(rows);
      expect((await collect(store.readStream('portfolio-main'))).map(({ version }) => version)).toEqual([1, 2]);
    });

    it('passes over an event that is in the log already, at another position', async () => {
      const first = tickRow(1);
      await store.appendBatch([first]);
      await store.appendBatch([{ ...first, seq: 2 }, tickRow(3)]);
      expect(await all()).toEqual([first, tickRow(3)]);
    });

    it('refuses another event at a position that is taken, and writes nothing of that batch', async () => {
      await store.appendBatch([tickRow(1), tickRow(2)]);
      const other = tickRow(2, { price: 7 });
      await expect(store.appendBatch([other, tickRow(3)])).rejects.toThrow(LogDiverged);
      await expect(store.appendBatch([other])).rejects.toMatchObject({
        seq: 2,
        storedId: tickRow(2).event.id,
        givenId: other.event.id,
      });
      expect(await all()).toEqual([tickRow(1), tickRow(2)]);
    });

    it('refuses a batch whose positions do not follow each other', async () => {
      await expect(store.appendBatch([tickRow(1), tickRow(3)])).rejects.toThrow(RangeError);
      expect(await store.lastSeq()).toBe(0);
    });

    it('[EVS-6] refuses an append at another version than the stream has, and writes nothing of that batch', async () => {
      await store.appendBatch([depositRow(1, 1)]);
      const stale = [tickRow(2), depositRow(3, 1, 'main', '5')];
      await expect(store.appendBatch(stale)).rejects.toThrow(ConcurrencyConflict);
      await expect(store.appendBatch([tickRow(2), depositRow(3, 4)])).rejects.toMatchObject({
        streamId: 'portfolio-main',
        expected: 3,
        actual: 1,
      });
      await expect(store.appendBatch([tickRow(2), depositRow(3, 2, 'other')])).rejects.toMatchObject({ actual: 0 });
      expect(await all()).toEqual([depositRow(1, 1)]);
      await store.appendBatch([tickRow(2), depositRow(3, 2)]);
      expect(await store.lastSeq()).toBe(3);
    });

    it('[EVS-6] lets exactly one of several writers with the same expected version win', async () => {
      await store.appendBatch([depositRow(1, 1)]);
      const others = harness.again ? await Promise.all([harness.again(), harness.again()]) : [store, store];
      const writers = [store, ...others, store, ...others];
      const attempts = writers.map((writer, index) =>
        writer.appendBatch([depositRow(index + 2, 2, 'main', `${index + 1}`)]),
      );
      const results = await Promise.allSettled(attempts);
      const losers = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
      expect(losers.map(({ name: kind }) => kind)).toEqual(Array.from({ length: 5 }, () => 'ConcurrencyConflict'));
      expect(await collect(store.readStream('portfolio-main'))).toHaveLength(2);
      if (harness.again) await Promise.all(others.map((other) => other.close()));
    });

    it('[EVS-6] rebuilds from a snapshot and the events after it', async () => {
      await store.appendBatch([depositRow(1, 1), depositRow(2, 1, 'other'), depositRow(3, 2), depositRow(4, 3)]);
      await store.saveSnapshot('portfolio-main', 2, { cash: '2', zulu: 1, a: 2 });
      await store.saveSnapshot('portfolio-main', 1, { cash: '1' });
      const snapshot = await store.loadSnapshot('portfolio-main');
      expect(snapshot).toEqual({ version: 2, state: { cash: '2', zulu: 1, a: 2 } });
      expect(Object.keys(snapshot!.state as object)).toEqual(['cash', 'zulu', 'a']);
      const rest = await collect(store.readStream('portfolio-main', snapshot!.version));
      expect(rest).toEqual([depositRow(4, 3)]);
      expect(await collect(store.readStream('portfolio-other'))).toEqual([depositRow(2, 1, 'other')]);
      expect(await collect(store.readStream('portfolio-none'))).toEqual([]);
    });

    it('[EVS-5] answers queries by type, token, key, time, cause and stream, in pages', async () => {
      const root = tickRow(1);
      const rows = [
        root,
        caused(depositRow(2, 1), root.event),
        tickRow(3, { token: 'ETH' }),
        tickRow(4),
        caused(depositRow(5, 2), root.event),
        tickRow(6, { token: 'ETH' }),
        tickRow(7),
      ];
      await store.appendBatch(rows);
      const limit = 2;
      expect(await pages({ limit })).toEqual([[1, 2], [3, 4], [5, 6], [7]]);
      expect(await pages({ limit, order: 'newest' })).toEqual([[7, 6], [5, 4], [3, 2], [1]]);
      expect(await pages({ limit, types: ['price.tick'], token: 'BTC' })).toEqual([[1, 4], [7]]);
      expect(await pages({ limit, types: ['price.tick', 'portfolio.deposited'], key: 'main' })).toEqual([[2, 5]]);
      expect(await pages({ limit, types: ['price.tick'], order: 'newest' })).toEqual([[7, 6], [4, 3], [1]]);
      expect(await pages({ limit, from: T0 + 3 * MINUTE, to: T0 + 6 * MINUTE })).toEqual([[3, 4], [5]]);
      expect(await pages({ limit, correlationId: root.event.id })).toEqual([[1, 2], [5]]);
      expect(await pages({ limit, causationId: root.event.id })).toEqual([[2, 5]]);
      expect(await pages({ limit, eventId: rows[3]!.event.id })).toEqual([[4]]);
      expect(await pages({ limit, streamId: 'portfolio-main' })).toEqual([[2, 5]]);
      expect(await pages({ limit, types: ['risk.ok'] })).toEqual([[]]);
      expect((await store.query({ limit: 1, types: ['portfolio.deposited'] })).rows).toEqual([rows[1]]);
    });

    it('[EVS-5] pages through events of one and the same time without losing or doubling any', async () => {
      const rows = Array.from({ length: 25 }, (_, index) => tickRow(index + 1, { at: T0 }));
      await store.appendBatch(rows);
      const found = (await pages({ limit: 4 })).flat();
      expect(found).toEqual(rows.map(({ seq }) => seq));
      expect((await pages({ limit: 4, order: 'newest' })).flat()).toEqual([...found].reverse());
    });

    it('keeps the last three checkpoints, each a whole', async () => {
      const entries = (seq: number) => [
        { handler: 'execution', key: 'main', state: { zulu: seq, a: [1, null], text: '☃' } },
        { handler: 'agent/risk', key: 'main', state: null },
        { handler: 'agent/risk', key: 'other', state: [seq] },
      ];
      for (const seq of [10, 20, 30, 40, 40]) await store.saveCheckpoint(seq, entries(seq), { seq, deadlines: [] });
      const latest = await store.latestCheckpoint();
      expect(latest).toEqual({ seq: 40, entries: entries(40), meta: { seq: 40, deadlines: [] } });
      expect(JSON.stringify(latest!.entries[0]!.state)).toBe(JSON.stringify(entries(40)[0]!.state));
      await store.saveCheckpoint(50, [], {});
      expect(await store.latestCheckpoint()).toEqual({ seq: 50, entries: [], meta: {} });
    });

    if (!isShared) return;

    it('shows a second instance what the first has stored', async () => {
      await store.appendBatch([tickRow(1), depositRow(2, 1)]);
      const other = await harness.again!();
      try {
        expect(await collect(other.readLog(0))).toEqual([tickRow(1), depositRow(2, 1)]);
        await other.appendBatch([tickRow(1), depositRow(2, 1)]);
        await other.appendBatch([depositRow(3, 2)]);
        expect(await store.lastSeq()).toBe(3);
      } finally {
        await other.close();
      }
    });
  });
}
