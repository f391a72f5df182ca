import { setTimeout as pause } from 'node:timers/promises';
import type { AnyEvent } from '@moon/events';
import { testEvent, type Handler } from '@moon/domain';
import type { EffectAdapter } from '../../ports/effect';
import type { ShardJournal } from '../../ports/journal';
import type { KeptBatch, LocalJournal } from '../../ports/local-journal';
import { turns } from '../../testing/live-bed';
import { ShardBed } from '../../testing/shard-bed';
import { T0 } from '../../testing/venue-desk';

const URGENT_MS = 20;

/** A saga that asks the outside for something with every signal. */
const asking: Handler<{ heard: string[] }> = {
  name: 'saga/asking',
  role: 'saga',
  durable: true,
  partitionedBy: 'token',
  consumes: ['signal.generated'],
  initialState: () => ({ heard: [] }),
  handle(event, state, out) {
    if (event.type !== 'signal.generated') return;
    state.heard.push(event.data.reason);
    const { token, timestamp } = event.data;
    const window = { token, windowId: event.id, openedBy: 'mixer', openingSignalId: event.id, timestamp };
    const rules = { closesAt: timestamp + 1_000, voters: [], threshold: 60, minimumAgents: 1 };
    out.emit('consensus.opened', { ...window, ...rules });
  },
};

const signal = (at: number, reason: string, token = 'BTC'): AnyEvent =>
  testEvent('signal.generated', T0 + at, {
    ...{ token, action: 'BUY', score: 90, confidence: 0.9, agent: 'mixer', reason, timestamp: T0 + at },
  });

class MemoryLocalJournal implements LocalJournal {
  batches: KeptBatch[] = [];
  aside: KeptBatch[] = [];
  isFull = false;

  keep(batches: readonly KeptBatch[]): Promise<void> {
    if (this.isFull) return Promise.reject(new Error('no space left on device'));
    this.batches.push(...structuredClone([...batches]));
    return Promise.resolve();
  }
  read(): Promise<readonly KeptBatch[] | null> {
    return Promise.resolve(this.batches.length === 0 ? null : this.batches);
  }
  clear(): Promise<void> {
    this.batches = [];
    return Promise.resolve();
  }
  setAside(): Promise<string> {
    this.aside = this.batches;
    this.batches = [];
    return Promise.resolve('aside');
  }
}

/** A deployment whose store can be away, with an adapter that notes what it did, and whether it was told to look first. */
class Bed {
  readonly local = new MemoryLocalJournal();
  readonly done: Array<{ id: string; recovering: boolean }> = [];
  isAway = false;
  private readonly outside: EffectAdapter = {
    name: 'outside',
    performs: ['consensus.opened'],
    settledBy: [],
    concurrency: 'ordered',
    isUrgent: (request) => this.urgent.has(request.correlationId),
    requestKey: ({ id }) => id,
    settles: () => null,
    perform: ({ id }, { recovering }) => {
      this.done.push({ id, recovering });
      return [];
    },
  };
  readonly urgent = new Set<string>();
  readonly shards = new ShardBed({
    handlers: [asking],
    keyed: ['signal.generated'],
    adapters: [this.outside],
    isTransient: (error) => error.message === 'the store is away',
    local: this.local,
    urgentMs: URGENT_MS,
    journal: (journal) => this.watched(journal),
  });

  say(...events: readonly AnyEvent[]): Promise<void> {
    for (const event of events) this.shards.bus.append(event);
    return turns();
  }

  private watched(journal: ShardJournal): ShardJournal {
    const here = <T>(work: () => Promise<T>): Promise<T> =>
      this.isAway ? Promise.reject(new Error('the store is away')) : work();
    return {
      shard: journal.shard,
      claim: (owner) => here(() => journal.claim(owner)),
      append: (batch, rows) => here(() => journal.append(batch, rows)),
      read: (afterSeq) => journal.read(afterSeq),
      saveCheckpoint: (checkpoint) => here(() => journal.saveCheckpoint(checkpoint)),
      latestCheckpoint: (onUnreadable) => journal.latestCheckpoint(onUnreadable),
    };
  }
}

const [ordinary, urgent, later] = [signal(1, 'ordinary'), signal(2, 'urgent'), signal(3, 'later')];

async function withUrgentWhileAway(): Promise<{ bed: Bed; first: Awaited<ReturnType<ShardBed['member']>> }> {
  const bed = new Bed();
  bed.urgent.add(urgent.correlationId);
  const first = await bed.shards.member();
  bed.isAway = true;
  await bed.say(ordinary, urgent);
  // Kept, and done; however busy the machine is.
  while (bed.done.length === 0) await pause(URGENT_MS);
  return { bed, first };
}

const heard = (member: Awaited<ReturnType<ShardBed['member']>>): string[] | undefined =>
  member.shard.engine.host.state<{ heard: string[] }>('saga/asking', 'BTC')?.heard;

describe('a shard whose store is away', () => {
  it('[SYS-8] does only what is urgent, once it is kept on this machine; the rest when the store is back', async () => {
    const { bed, first } = await withUrgentWhileAway();
    const opened = (event: AnyEvent): string | undefined =>
      bed.shards.database.appended.find(({ event: { causationId } }) => causationId === event.id)?.event.id;
    expect(bed.done).toHaveLength(1);
    expect(bed.local.batches.at(-1)?.batch.toSeq).toBe(first.shard.engine.lastSeq);
    expect(first.problems.join()).toContain('the store does not answer');

    bed.isAway = false;
    await pause(2_000);
    expect(bed.done.map(({ id }) => id)).toEqual([opened(urgent), opened(ordinary)]);
    expect(bed.local.batches).toEqual([]);
    expect(first.failures).toEqual([]);
  });

  it('[SYS-8] and which dies before the store is back: its successor knows what it did, and looks before it acts', async () => {
    const { bed, first } = await withUrgentWhileAway();
    const { id } = bed.done[0]!;
    first.kill();
    bed.isAway = false;
    const second = await bed.shards.member();
    await bed.say(later);
    expect(second.failures).toEqual([]);
    expect(heard(second)).toEqual(['ordinary', 'urgent', 'later']);
    const stored = bed.shards.database.appended.map(({ event }) => event.id);
    expect(new Set(stored).size).toBe(stored.length);
    expect(stored).toContain(id);
    expect(bed.done.filter((one) => one.id === id)).toEqual([
      { id, recovering: false },
      { id, recovering: true },
    ]);
    expect(bed.local.batches).toEqual([]);
  });

  it('and which dies again while that is brought in: the next one goes on with it', async () => {
    const { bed, first } = await withUrgentWhileAway();
    first.kill();
    bed.isAway = false;
    const kept = [...bed.local.batches];
    // The first of the batches only: then it died.
    const half = bed.shards.database.journal('group#0');
    await half.claim();
    await half.append(kept[0]!.batch, kept[0]!.rows);
    const second = await bed.shards.member();
    expect(heard(second)).toEqual(['ordinary', 'urgent']);
    expect(second.failures).toEqual([]);
  });

  it.each([-1, 0, 5])(
    'and which another machine goes on with, to %p behind its end: the record is set aside',
    async (goesOn) => {
      const { bed, first } = await withUrgentWhileAway();
      first.kill();
      const other = bed.shards.database.journal('group#0');
      await other.claim();
      bed.isAway = false;
      const kept = bed.local.batches.map(({ batch }) => batch);
      const [from, to] = [kept[0]!.afterSeq, kept.at(-1)!.toSeq];
      await other.append(
        { afterSeq: from, toSeq: to + goesOn, entries: [{ kind: 'input', event: later }], publishedSeq: 0 },
        [],
      );
      const second = await bed.shards.member();
      expect(second.problems.join()).toContain('another machine went on with the shard');
      expect(bed.local.aside).not.toEqual([]);
      expect(bed.local.batches).toEqual([]);
    },
  );

  it('does none of several when its own disk takes nothing, and all of them when the store is back', async () => {
    const bed = new Bed();
    bed.local.isFull = true;
    const several = ['BTC', 'ETH', 'SOL'].map((token, index) => signal(index, 'urgent', token));
    for (const { correlationId } of several) bed.urgent.add(correlationId);
    const first = await bed.shards.member();
    bed.isAway = true;
    await bed.say(...several);
    await pause(5 * URGENT_MS);
    expect(bed.done).toEqual([]);
    bed.isAway = false;
    await pause(1_500);
    expect(bed.done).toHaveLength(3);
    expect(first.failures).toEqual([]);
  });

  it('[SYS-8] and whose file holds lines of an owner that was replaced: the last owner’s are brought in all the same', async () => {
    const { bed, first } = await withUrgentWhileAway();
    first.kill();
    const kept = [...bed.local.batches];
    const { afterSeq, toSeq } = kept[0]!.batch;
    // A frozen one wrote this, after somebody else had taken the shard over.
    const stale = { batch: { afterSeq, toSeq: toSeq + 7, entries: [], publishedSeq: 0 }, rows: [] };
    bed.local.batches = [...kept, stale, ...kept];
    bed.isAway = false;
    const second = await bed.shards.member();
    expect(second.failures).toEqual([]);
    expect(heard(second)).toEqual(['ordinary', 'urgent']);
    expect(bed.local.aside).not.toEqual([]);
  });

  it('waits for the store like everything else when its own disk takes nothing', async () => {
    const bed = new Bed();
    bed.local.isFull = true;
    bed.urgent.add(urgent.correlationId);
    const first = await bed.shards.member();
    bed.isAway = true;
    await bed.say(urgent);
    await pause(5 * URGENT_MS);
    expect(bed.done).toEqual([]);
    expect(first.problems.join()).toContain('could not be kept on this machine');
    bed.isAway = false;
    await pause(1_500);
    expect(bed.done).toHaveLength(1);
  });
});
