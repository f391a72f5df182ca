import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { derivedId, upcast, type AnyEvent, type RawEnvelope } from '@moon/events';
import { MemoryEventStore, type Checkpoint, type LogRow } from '@moon/kernel';
import { writeCandles } from '../../../../tests/support/market';
import { platformConfig, recordedInputs, replayOptions } from '../../../../tests/support/recorded';
import { replay } from '../replay/replay';
import { checkParity } from './parity';
import type { ParityReport } from './report';

type Change = (rows: LogRow[]) => LogRow[];
type Of<T extends AnyEvent['type']> = Extract<AnyEvent, { type: T }>;

// What a replay says of itself.
const VERSION = 'replay';

describe('Parity of a log', () => {
  const folder = mkdtempSync(join(tmpdir(), 'moon-parity-unit-'));
  let original: LogRow[] = [];
  let checkpoint: Checkpoint | null = null;
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeAll(async () => {
    const file = join(folder, 'candles.csv');
    const symbols = [{ symbol: 'BTCUSDT', price: 40_000 }];
    writeCandles(file, { seed: 5, minutes: 500, start: Date.UTC(2024, 4, 1), symbols });
    const opening = { minScore: 55, minConfidence: 0.3, minIntervalMs: 60_000 };
    const platform = platformConfig({
      portfolios: [{ name: 'main', instruments: [{ instrument: 'BTC.HYPERLIQUID', leverage: 3 }] }],
      consensus: { minimumAgents: 1, threshold: 55, cooldownMs: 0 },
      agents: { trading: { opening }, chart: { opening } },
    });
    const store = new MemoryEventStore();
    await replay({ ...replayOptions(await recordedInputs([file]), platform), store });
    for await (const row of store.readLog(0)) original.push(row);
    checkpoint = await store.latestCheckpoint();
    original = JSON.parse(JSON.stringify(original)) as LogRow[];
  });

  /** The log with a change, from its beginning on; positions are given anew. */
  async function storeOf(change: Change, withCheckpoint = false): Promise<MemoryEventStore> {
    const store = new MemoryEventStore();
    const rows = change(structuredClone(original)).map(({ event }, index) => ({ seq: index + 1, event }));
    await store.appendBatch(rows);
    if (withCheckpoint && checkpoint) await store.saveCheckpoint(checkpoint.seq, checkpoint.entries, checkpoint.meta);
    return store;
  }

  async function parityOf(change: Change, withCheckpoint = false): Promise<ParityReport> {
    return checkParity({ store: await storeOf(change, withCheckpoint), codeVersion: VERSION });
  }

  const indexOf = (rows: readonly LogRow[], type: string, from = 0): number => {
    const index = rows.findIndex(({ event }, at) => at >= from && event.type === type);
    if (index < 0) throw new Error(`The log holds no ${type}.`);
    return index;
  };

  it('[US3-3] is given when nothing differs, states included, and reads the log once without writing to it', async () => {
    const store = await storeOf((rows) => rows, true);
    const report = await checkParity({ store, codeVersion: VERSION });
    expect(report).toMatchObject({ equal: true, firstDivergence: null, divergences: 0, pending: 0, end: 'open' });
    expect(report.state).toMatchObject({ equal: true, seq: original.length });
    expect(report.compared + report.inputs + report.operational).toBe(original.length);
    expect(report.comparedByType['trade.executed']).toBeGreaterThan(5);
    expect(await store.lastSeq()).toBe(original.length);
  });

  it('[US3-3] finds one fill that differs by the smallest unit, with its cause and the chain up to the tick', async () => {
    let at = 0;
    const report = await parityOf((rows) => {
      at = indexOf(rows, 'trade.executed', 500);
      const { data } = rows[at]?.event as Of<'trade.executed'>;
      data.fee = `${data.fee.slice(0, -1)}${(Number(data.fee.slice(-1)) + 1) % 10}`;
      return rows;
    });
    const first = report.firstDivergence;
    expect(report).toMatchObject({ equal: false });
    expect(first).toMatchObject({ kind: 'differs', seq: at + 1, type: 'trade.executed', handler: 'execution' });
    expect(first?.paths).toEqual([{ path: 'data.fee', recorded: expect.any(String), replayed: expect.any(String) }]);
    // What is printed names the event on both sides.
    expect(JSON.parse(JSON.stringify(first))).toMatchObject({ replayed: { id: first?.recorded?.id } });
    expect(first?.cause?.event.type).toBe('venue.report');
    expect(first?.chain.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['order.submitted', 'trade.consensus_approved', 'consensus.opened']),
    );
  });

  it('finds a report of the venue that was changed, by what it brings about', async () => {
    const report = await parityOf((rows) => {
      const { data } = rows.find(({ event }) => event.type === 'venue.report' && event.data.price !== undefined)
        ?.event as Of<'venue.report'>;
      data.price = `${Number(data.price) + 1}`;
      return rows;
    });
    expect(report.firstDivergence).toMatchObject({ kind: 'differs', type: 'trade.executed' });
  });

  it('finds an event that was taken out, one that was put in, and two that changed places', async () => {
    const without = await parityOf((rows) => rows.filter((_, index) => index !== indexOf(rows, 'order.approved')));
    expect(without.firstDivergence).toMatchObject({ kind: 'not_recorded', type: 'order.approved', recorded: null });

    const more = await parityOf((rows) => {
      const at = indexOf(rows, 'order.approved');
      const copy = structuredClone(rows[at]) as LogRow;
      copy.event.id = derivedId(copy.event.id, 'foreign', 0);
      return [...rows.slice(0, at + 1), copy, ...rows.slice(at + 1)];
    });
    expect(more.divergencesByKind).toEqual({ not_replayed: 1 });
    expect(more.firstDivergence).toMatchObject({ kind: 'not_replayed', type: 'order.approved' });

    const swapped = await parityOf((rows) => {
      const at = indexOf(rows, 'portfolio.reserved');
      const other = indexOf(rows, 'order.requested', at - 1);
      expect(Math.abs(at - other)).toBe(1);
      const [one, two] = [rows[at], rows[other]] as [LogRow, LogRow];
      [rows[at], rows[other]] = [two, one];
      return rows;
    });
    expect(swapped.divergencesByKind).toEqual({ order: 1 });
    expect(swapped.firstDivergence).toMatchObject({ kind: 'order' });
  });

  it('finds a deadline that the replay never set', async () => {
    const report = await parityOf((rows) => {
      const { data } = rows[indexOf(rows, 'deadline.reached')]?.event as Of<'deadline.reached'>;
      data.dueAt += 1;
      return rows;
    });
    expect(report.firstDivergence).toMatchObject({ kind: 'deadline', type: 'deadline.reached' });
  });

  it('[US3-3] fails closed when a model’s answer is missing: it is not asked again', async () => {
    const report = await parityOf((rows) => {
      const at = indexOf(rows, 'inference.completed');
      const answer = rows[at]?.event.id;
      // What came of it is missing as well, so that nothing else tells.
      const gone = new Set([answer]);
      return rows.filter(({ event }) => {
        const isGone = gone.has(event.id) || (event.causationId !== null && gone.has(event.causationId));
        if (isGone) gone.add(event.id);
        return !isGone;
      });
    });
    expect(report.equal).toBe(false);
    expect(report.divergencesByKind.answer).toBe(1);
    expect(report.firstDivergence?.kind).toBe('answer');
    expect(report.firstDivergence?.says).toContain('never asked for again');
  });

  it('reads rows of schema version 1 through the upcasters: equal as far as that version goes', async () => {
    const old: Change = (rows) => {
      for (const { event } of rows) {
        if (event.type !== 'signal.generated') continue;
        const { event_type, token, action, score, confidence, agent } = event.data;
        const data = { event_type, token, action, score, confidence, agent };
        event.data = upcast({ ...event, schemaVersion: 1, data } as unknown as RawEnvelope).data as never;
      }
      return rows;
    };
    // What depended on the parts that version 1 does not hold (a vote's window) is another matter: only the signals count here.
    const report = await parityOf((rows) => old(rows).slice(0, indexOf(rows, 'signal.generated') + 1));
    expect(report).toMatchObject({ equal: true, comparedByType: { 'signal.generated': 1 } });
    const wrong = await parityOf((rows) => {
      const cut = old(rows).slice(0, indexOf(rows, 'signal.generated') + 1);
      (cut[cut.length - 1]?.event as Of<'signal.generated'>).data.score += 1;
      return cut;
    });
    expect(wrong.firstDivergence).toMatchObject({ kind: 'differs', type: 'signal.generated' });
  });

  it('takes what is behind the end of a log that was cut off for its tail', async () => {
    const report = await parityOf((rows) => rows.slice(0, indexOf(rows, 'order.requested') + 1));
    expect(report).toMatchObject({ equal: true, end: 'open' });
    expect(report.pending).toBeGreaterThan(0);
  });

  it('misses nothing that the checkpoint says was stored', async () => {
    const report = await parityOf((rows) => {
      const last = rows.findLastIndex(({ event }) => event.type === 'state.changed');
      const after = rows.slice(last + 1).filter(({ event }) => event.causationId === null);
      return [...rows.slice(0, last), ...after];
    }, true);
    expect(report.divergencesByKind).toEqual({ not_recorded: 1 });
  });

  it('finds a state that the checkpoint holds otherwise', async () => {
    const store = await storeOf((rows) => rows);
    const entries = structuredClone(checkpoint?.entries ?? []);
    const owner = entries.find(({ handler }) => handler === 'execution')?.state as {
      state: { portfolio: { cash: string } };
    };
    owner.state.portfolio.cash = `${owner.state.portfolio.cash}1`;
    await store.saveCheckpoint(checkpoint?.seq ?? 0, entries, checkpoint?.meta ?? {});
    const report = await checkParity({ store, codeVersion: VERSION });
    expect(report.state?.equal).toBe(false);
    expect(report.firstDivergence).toMatchObject({ kind: 'state', handler: 'execution', key: 'main' });
    expect(report.firstDivergence?.paths[0]?.path).toContain('cash');
  });

  it('cannot be judged without settings, without events, or with a hole in the log', async () => {
    const settingsOut: Change = (rows) => rows.filter(({ event }) => event.type !== 'config.activated');
    await expect(parityOf(settingsOut)).rejects.toThrow(/holds no settings/);
    await expect(parityOf(() => [])).rejects.toThrow(/empty/);
    const asked = indexOf(original, 'inference.completed');
    const store = new MemoryEventStore();
    await store.appendBatch(original.slice(0, asked).map(({ seq, event }) => ({ seq, event })));
    await store.appendBatch(original.slice(asked + 2).map(({ seq, event }) => ({ seq, event })));
    const range = `positions ${asked + 1} to ${asked + 2}`;
    const parity = checkParity({ store, codeVersion: VERSION });
    await expect(parity).rejects.toThrow(range);
    await expect(parity).rejects.toThrow(/answer of a model may be among it/);
    const dropped = new MemoryEventStore();
    await dropped.appendBatch(original.slice(10).map(({ seq, event }) => ({ seq, event })));
    // The settings are of a stream, which retention spares (rule 29).
    await expect(checkParity({ store: dropped, codeVersion: VERSION })).rejects.toThrow(/holds no settings/);
  });

  it('says when the log was written by other code', async () => {
    const report = await checkParity({ store: await storeOf((rows) => rows), codeVersion: '9.9.9' });
    expect(report).toMatchObject({ equal: true, notes: [expect.stringContaining('9.9.9')] });
  });
});
