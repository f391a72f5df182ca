import { CATALOG, DEFINITIONS, eventId, type AnyEvent, type EventType } from '@moon/events';
import { platformConfigSchema, testEvent, type Handler, type PlatformConfig } from '@moon/domain';
import { Value } from '@sinclair/typebox/value';
import { RecentIds } from '../../core/recent-ids';
import { groupPlans } from '../../platform/groups';
import type { ShardJournal, StoredCheckpoint } from '../../ports/journal';
import { turns } from '../../testing/live-bed';
import { ShardBed, type ShardMember } from '../../testing/shard-bed';
import { T0 } from '../../testing/venue-desk';

/** As a relay publishes it: with its place in its stream. */
function relayed(
  type: 'trade.consensus_approved' | 'halt.raised' | 'halt.lifted',
  version: number,
  at = version,
): AnyEvent {
  const { example } = DEFINITIONS[type];
  const data = { ...example, scope: 'global', portfolio: undefined, timestamp: T0 + at };
  const event = testEvent(type, T0 + at, data as never, { id: eventId('test', type, String(version), String(at)) });
  return { ...event, headers: { ...event.headers, streamVersion: version } } as AnyEvent;
}

/** Notes what it hears of the streams of others. */
const hearing: Handler<{ heard: string[] }> = {
  name: 'saga/hearing',
  role: 'saga',
  partitionedBy: 'portfolio',
  consumes: ['risk.ok'],
  broadcast: ['trade.consensus_approved', 'halt.raised', 'halt.lifted'],
  sharedKeys: ['global'],
  initialState: () => ({ heard: [] }),
  handle: (event, state) => void state.heard.push(`${event.type} ${event.occurredAt - T0}`),
};

/** Writes down what becomes of an order: the reason of each signal is a type of event, its agent the order. */
const clerk: Handler<object> = {
  name: 'saga/clerk',
  role: 'saga',
  durable: true,
  partitionedBy: 'token',
  consumes: ['signal.generated'],
  initialState: () => ({}),
  handle(event, _state, out) {
    if (event.type !== 'signal.generated') return;
    const { reason, agent, timestamp } = event.data;
    const { event_type: _type, ...example } = DEFINITIONS[reason as EventType].example as { event_type?: string };
    out.emit(reason as EventType, { ...example, order_id: eventId('order', agent), timestamp } as never);
  },
};

/** The journal with something else done about checkpoints. */
const saving = (journal: ShardJournal, saveCheckpoint: ShardJournal['saveCheckpoint']): ShardJournal => ({
  shard: journal.shard,
  claim: (owner) => journal.claim(owner),
  append: (batch, rows) => journal.append(batch, rows),
  read: (afterSeq) => journal.read(afterSeq),
  latestCheckpoint: (onUnreadable) => journal.latestCheckpoint(onUnreadable),
  saveCheckpoint,
});

/** What older code would have stored: with every stream twice, and without what was heard. */
const asOlderCode = (checkpoint: StoredCheckpoint, streams: Record<string, number>): StoredCheckpoint => {
  const { engine } = JSON.parse(checkpoint.meta) as { engine: object };
  return { ...checkpoint, meta: JSON.stringify({ engine: { ...engine, streamVersions: streams }, streams }) };
};

describe('the streams of others, as a shard hears them', () => {
  // As after so many prices that no id of then is remembered.
  beforeEach(() => void jest.spyOn(RecentIds.prototype, 'has').mockReturnValue(false));
  afterEach(() => jest.restoreAllMocks());

  const bed = (journal?: (plain: ShardJournal) => ShardJournal): ShardBed =>
    new ShardBed({
      handlers: [hearing],
      keyed: ['risk.alerts'],
      broadcast: ['consensus.events', 'halt.events'],
      ...(journal && { journal }),
    });
  const say = async (to: ShardBed, ...events: readonly AnyEvent[]): Promise<void> => {
    for (const event of events) to.bus.append(event, event.type.startsWith('halt') ? 'execution#1' : 'consensus#0');
    await turns();
  };
  const heard = (member: ShardMember): string[] | undefined =>
    member.shard.engine.host.state<{ heard: string[] }>('saga/hearing', 'global')?.heard;
  const approvals = (...versions: number[]): AnyEvent[] =>
    versions.map((version) => relayed('trade.consensus_approved', version));
  const approved = (...versions: number[]): string[] =>
    versions.map((version) => `trade.consensus_approved ${version}`);

  it('are heard once: a relay that begins its log anew changes nothing, whatever ids are remembered (rule 27)', async () => {
    const all = bed();
    const first = await all.member();
    await say(
      all,
      ...approvals(1, 2, 5),
      relayed('halt.raised', 1),
      relayed('halt.lifted', 2),
      relayed('halt.raised', 3),
    );
    const before = [...heard(first)!];
    expect(before).toHaveLength(6);
    await say(
      all,
      ...approvals(1, 2, 5),
      relayed('halt.raised', 1),
      relayed('halt.lifted', 2),
      relayed('halt.raised', 3),
    );
    expect(heard(first)).toEqual(before);
    await say(all, ...approvals(6));
    expect(heard(first)).toEqual([...before, ...approved(6)]);
    expect(first.failures).toEqual([]);
  });

  it.each(['a checkpoint', 'its journal alone'])('are known after a restart from %s', async (from) => {
    const all = bed();
    const first = await all.member();
    await say(all, ...approvals(1, 2));
    if (from === 'a checkpoint') await first.group.checkpoint();
    await say(all, ...approvals(3));
    first.kill();
    const second = await all.member();
    await say(all, ...approvals(2, 1, 3, 4));
    expect(heard(second)).toEqual(approved(1, 2, 3, 4));
    second.kill();
    const third = await all.member();
    expect(heard(third)).toEqual(approved(1, 2, 3, 4));
    expect([...second.failures, ...third.failures]).toEqual([]);
  });

  it('are known from the first message on where an older version wrote the checkpoint', async () => {
    const all = bed((journal) => saving(journal, (checkpoint) => journal.saveCheckpoint(asOlderCode(checkpoint, {}))));
    const first = await all.member();
    await say(all, ...approvals(1, 2));
    await first.group.checkpoint();
    first.kill();
    const second = await all.member();
    await say(all, ...approvals(3, 1, 2, 3, 4));
    expect(heard(second)).toEqual(approved(1, 2, 3, 4));
    expect(second.failures).toEqual([]);
  });

  it('are few: no group of the platform takes the orders of another shard', () => {
    const config = Value.Default(platformConfigSchema, {}) as PlatformConfig;
    const foreign = groupPlans(config).flatMap(({ types, broadcast, partitionedBy }) =>
      [...types].filter((type) => {
        const { streamRule, keyRule, topic } = CATALOG[type];
        return streamRule === 'order' && (broadcast.includes(topic) || keyRule !== partitionedBy);
      }),
    );
    expect(foreign).toEqual([]);
  });

  it('go on at a lower version of later, where the store was taken back to before', async () => {
    const all = bed();
    const member = await all.member();
    await say(all, ...approvals(1, 2, 3), relayed('trade.consensus_approved', 2, 10), ...approvals(1, 2));
    await say(all, relayed('trade.consensus_approved', 3, 11));
    expect(heard(member)).toEqual(approved(1, 2, 3, 10, 11));
  });
});

describe('the streams of orders, as a shard writes them', () => {
  let saved: StoredCheckpoint[];
  beforeEach(() => (saved = []));

  const bed = (as: (checkpoint: StoredCheckpoint) => StoredCheckpoint = (checkpoint) => checkpoint): ShardBed =>
    new ShardBed({
      handlers: [clerk],
      keyed: ['signal.generated'],
      journal: (journal) =>
        saving(journal, (checkpoint) => {
          saved.push(as(checkpoint));
          return journal.saveCheckpoint(as(checkpoint));
        }),
    });
  let count = 0;
  const say = async (to: ShardBed, order: string | number, ...types: readonly EventType[]): Promise<void> => {
    for (const reason of types) {
      const data = { token: 'BTC', action: 'BUY', score: 90, confidence: 0.9, agent: String(order), reason } as const;
      count += 1;
      to.bus.append(testEvent('signal.generated', T0 + count, { ...data, timestamp: T0 + count }));
    }
    await turns();
  };
  const versions = (of: ShardBed, order: string | number): (number | undefined)[] =>
    (of.database.streams.get(`order-${eventId('order', String(order))}`) ?? []).map(({ version }) => version);

  it('are not kept once their orders are over: a checkpoint does not grow with their number', async () => {
    const all = bed();
    const first = await all.member();
    await say(all, 'works', 'order.cancel_requested');
    for (let order = 0; order < 5; order += 1) await say(all, order, 'order.withheld', 'trade.rejected');
    await first.group.checkpoint();
    for (let order = 5; order < 200; order += 1) {
      const end = (['trade.rejected', 'trade.cancelled', 'trade.expired'] as const)[order % 3]!;
      await say(all, order, 'order.withheld', end);
    }
    await first.group.checkpoint();
    const sizes = saved.map(({ meta }) => meta.length);
    // Some numbers in it have more digits.
    expect(sizes[1]! - sizes[0]!).toBeLessThan(20);
    await say(all, 'works', 'order.cancel_requested');
    first.kill();
    const second = await all.member();
    await say(all, 'works', 'order.cancel_requested', 'trade.cancelled');
    expect(versions(all, 'works')).toEqual([1, 2, 3, 4]);
    for (let order = 0; order < 200; order += 1) expect(versions(all, order)).toEqual([1, 2]);
    expect([...first.failures, ...second.failures]).toEqual([]);
  });

  it('go on without a gap with what comes too late, over restarts, in several batches and behind older checkpoints', async () => {
    const ended = { [`order-${eventId('order', 'late')}`]: 2, [`order-${eventId('order', 'other')}`]: 1 };
    let isOld = false;
    const all = bed((checkpoint) => (isOld ? asOlderCode(checkpoint, ended) : checkpoint));
    let member = await all.member();
    await say(all, 'late', 'order.withheld', 'trade.rejected');
    await say(all, 'other', 'order.withheld');
    await say(all, 'late', 'order.withheld', 'order.cancel_requested');
    await say(all, 'late', 'order.withheld');
    expect(versions(all, 'late')).toEqual([1, 2, 3, 4, 5]);
    member.kill();
    for (const when of ['from the journal', 'from a checkpoint', 'from an older one']) {
      isOld = when === 'from an older one';
      member = await all.member();
      await say(all, 'late', 'order.withheld');
      await say(all, 'other', 'order.withheld');
      await member.group.checkpoint();
      await say(all, 'late', 'trade.cancelled', 'order.withheld');
      expect(member.failures).toEqual([]);
      member.kill();
    }
    member = await all.member();
    await say(all, 'late', 'order.withheld');
    await say(all, 'other', 'order.withheld');
    expect(versions(all, 'late')).toEqual(Array.from({ length: 15 }, (_, index) => index + 1));
    expect(versions(all, 'other')).toEqual([1, 2, 3, 4, 5]);
    expect(member.failures).toEqual([]);
  });
});
