import type { AnyEvent } from '@moon/events';
import { testEvent, type Handler } from '@moon/domain';
import type { BusMessage } from '../../ports/bus';
import { ShardLost, type JournalBatch, type ShardJournal } from '../../ports/journal';
import { turns } from '../../testing/live-bed';
import { ShardBed } from '../../testing/shard-bed';
import { T0, barClosed, tick } from '../../testing/venue-desk';

const BTC = 'BTC.HYPERLIQUID';
const ETH = 'ETH.HYPERLIQUID';

/** Its output depends on the order in which bars and prices, which come on two topics, were handled. */
const mixer: Handler<{ trail: string[]; rang: number }> = {
  name: 'agent/mixer',
  role: 'agent',
  partitionedBy: 'token',
  consumes: ['price.tick', 'bar.closed'],
  initialState: () => ({ trail: [], rang: 0 }),
  handle(event, state, out) {
    if (event.type === 'deadline.reached') {
      state.rang += 1;
      return;
    }
    if (event.type !== 'price.tick' && event.type !== 'bar.closed') return;
    state.trail.push(event.type === 'price.tick' ? `t${event.data.price}` : `b${event.data.close}`);
    const reason = state.trail.slice(-6).join(' ');
    if (event.type === 'bar.closed') {
      out.schedule('ring', event.occurredAt + 1_000);
      const { token, timestamp } = event.data;
      const signal = { token, action: 'BUY', score: 90, confidence: 0.9, agent: 'mixer', reason, timestamp } as const;
      out.emit('signal.generated', signal);
    }
  },
};

/** A saga with a stream of its own. */
const opener: Handler<{ count: number }> = {
  name: 'saga/opener',
  role: 'saga',
  durable: true,
  partitionedBy: 'token',
  consumes: ['signal.generated'],
  initialState: () => ({ count: 0 }),
  handle(event, state, out) {
    if (event.type !== 'signal.generated') return;
    state.count += 1;
    const { token, timestamp } = event.data;
    const window = { token, windowId: event.id, openedBy: 'mixer', openingSignalId: event.id, timestamp };
    const rules = { closesAt: timestamp + 1_000, voters: [], threshold: 60, minimumAgents: 1 };
    out.emit('consensus.opened', { ...window, ...rules });
  },
};

const signal = (at: number): AnyEvent =>
  testEvent('signal.generated', T0 + at, {
    ...{ token: 'BTC', action: 'BUY', score: 90, confidence: 0.9, agent: 'mixer', reason: 'x', timestamp: T0 + at },
  });

const mixers = (more: Partial<ConstructorParameters<typeof ShardBed>[0]> = {}): ShardBed =>
  new ShardBed({ handlers: [mixer], keyed: ['price.ticks', 'market.bars'], ...more });

const trail = (member: Awaited<ReturnType<ShardBed['member']>>, key = 'BTC'): string[] | undefined =>
  member.shard.engine.host.state<{ trail: string[] }>('agent/mixer', key)?.trail;

async function play(bed: ShardBed, from: number, to: number): Promise<void> {
  for (let minute = from; minute < to; minute += 1) {
    bed.bus.append(tick(BTC, minute * 60_000, 100 + minute));
    if (minute % 2 === 0) await turns(2);
    bed.bus.append(barClosed(BTC, minute, [1, 2, 1, 200 + minute]));
    bed.bus.append(tick(ETH, minute * 60_000, 300 + minute));
    await turns(2);
  }
  await turns();
}

describe('a shard', () => {
  it('[AGT-4] is restored from checkpoint and journal: the order of two topics is the recorded one', async () => {
    const bed = mixers();
    const first = await bed.member();
    await play(bed, 0, 10);
    await first.group.checkpoint();
    await play(bed, 10, 20);
    const before = trail(first);
    first.kill();
    const second = await bed.member();
    expect(second.group.isLive).toBe(true);
    expect(trail(second)).toEqual(before);
    await play(bed, 20, 25);
    expect(trail(second)?.slice(0, before?.length)).toEqual(before);
    expect(trail(second)).toHaveLength(50);
    const contents = new Map<string, string>();
    for (const event of bed.published('signal.generated')) {
      const text = JSON.stringify(event.data);
      expect(contents.get(event.id) ?? text).toBe(text);
      contents.set(event.id, text);
    }
    expect(contents.size).toBe(25);
    expect([...first.failures, ...second.failures]).toEqual([]);
  });

  it('[AGT-4] hands over in good order: nothing is handled twice and nothing published again', async () => {
    const bed = mixers();
    const first = await bed.member();
    await play(bed, 0, 10);
    await first.group.stop();
    const second = await bed.member();
    await play(bed, 10, 12);
    expect(trail(second)).toHaveLength(24);
    expect(bed.published('signal.generated')).toHaveLength(12);
  });

  it('[AGT-4] shards of one process that were checkpointed at different moments all find what is broadcast to them', async () => {
    let isSlow = false;
    const bed = mixers({
      keyed: ['market.bars'],
      broadcast: ['price.ticks'],
      journal: (journal) =>
        overriding(journal, {
          claim: async (owner) => {
            // What was broadcast has passed by when the first shard is opened.
            if (isSlow) await turns();
            isSlow = false;
            return journal.claim(owner);
          },
        }),
    });
    const first = await bed.member([0, 1], 2);
    await play(bed, 0, 4);
    const [early, late] = first.group.shards;
    await early?.checkpoint();
    await play(bed, 4, 40);
    await late?.checkpoint();
    await play(bed, 40, 42);
    const before = first.group.shards.map(({ engine }) => engine.lastSeq);
    first.kill();
    isSlow = true;
    const second = await bed.member([0, 1], 2);
    for (let wait = 0; wait < 5; wait += 1) await turns();
    expect([...first.failures, ...second.failures]).toEqual([]);
    expect(second.group.isLive).toBe(true);
    expect(second.group.shards.map(({ engine }) => engine.lastSeq)).toEqual(before);
  });

  it('[AGT-4] hears what was broadcast while its consumer had lost its place in its own group', async () => {
    const bed = mixers({ keyed: ['market.bars'], broadcast: ['price.ticks'] });
    const member = await bed.member();
    await play(bed, 0, 4);
    await member.broadcasts[0]!.expel(() => {
      for (let minute = 4; minute < 30; minute += 1) bed.bus.append(tick(BTC, minute * 60_000, 100 + minute));
    });
    await turns();
    const prices = (trail(member) ?? []).filter((step) => step.startsWith('t'));
    expect(prices).toEqual(Array.from({ length: 30 }, (_, minute) => `t${100 + minute}`));
    expect(member.failures).toEqual([]);
  });

  it('[AGT-4] hears what is broadcast on behind a message that was refused, also when it begins with that', async () => {
    const bed = mixers({ keyed: ['market.bars'], broadcast: ['price.ticks'] });
    const first = await bed.member();
    await play(bed, 0, 4);
    await first.group.checkpoint();
    const [{ topic, partition }] = bed.bus.messages('price.ticks').filter(({ event }) => event.key === 'BTC') as [
      BusMessage,
    ];
    first.kill();
    const list = bed.bus.list({ topic, partition });
    const raw = { key: null, value: 'no event', headers: {} };
    list.push({ topic, partition, offset: list.length, reason: 'not_json', detail: '', raw } as never);
    bed.bus.append(tick(BTC, 600_000, 999));
    const second = await bed.member();
    await turns();
    expect(trail(second)?.at(-1)).toBe('t999');
    expect(new Set(bed.refused.map(({ offset }) => offset)).size).toBe(1);
    expect([...first.failures, ...second.failures]).toEqual([]);
  });

  it('handles its past under the settings that it had, and only then goes on under other ones (rules 1 and 8)', async () => {
    const louder: Handler<{ trail: string[]; rang: number }> = {
      ...mixer,
      handle(event, state, out) {
        mixer.handle(event, state, out);
        // Under these settings every price would have been an opinion, too.
        if (event.type !== 'price.tick') return;
        const { token, timestamp } = event.data;
        const said = { token, action: 'SELL', score: 70, confidence: 0.5, agent: 'mixer', reason: 'loud', timestamp };
        out.emit('signal.generated', said as never);
      },
    };
    const bed = mixers();
    const first = await bed.member();
    await play(bed, 0, 4);
    await first.group.checkpoint();
    await play(bed, 4, 10);
    // What was not noted as published is published again, under the same id.
    const signals = (): number => new Set(bed.published('signal.generated').map(({ id }) => id)).size;
    const before = { signals: signals(), trail: trail(first) };
    first.kill();
    const withoutPast = new ShardBed({ ...bed.options, handlers: [louder] });
    Object.assign(withoutPast, { bus: bed.bus, database: bed.database });
    const refused = await withoutPast.member();
    expect(refused.failures.join()).toContain('cannot be handled again');
    refused.kill();
    const changed = new ShardBed({ ...bed.options, handlers: [louder], past: [mixer] });
    Object.assign(changed, { bus: bed.bus, database: bed.database });
    const second = await changed.member();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await turns();
    expect(second.problems).toContain('a shard has other settings now and is opened again');
    expect(second.failures).toEqual([]);
    expect(second.group.isLive).toBe(true);
    expect(trail(second)).toEqual(before.trail);
    expect(signals()).toBe(before.signals);
    await play(changed, 10, 11);
    // A price of each token and a bar: two prices more are opinions now.
    expect(signals()).toBe(before.signals + 3);
  });

  it('[AGT-4] tells who waits for it to be live when it is let go of before', async () => {
    const bed = mixers();
    const first = await bed.member();
    await play(bed, 0, 4);
    first.kill();
    for (const topic of ['price.ticks', 'market.bars'] as const)
      for (const { partition } of bed.bus.messages(topic)) bed.bus.list({ topic, partition }).length = 0;
    const second = await bed.member();
    expect(second.shard.isLive).toBe(false);
    const waiting = expect(second.shard.ready).rejects.toThrow(/was let go of before it was live/);
    await second.group.stop();
    await waiting;
  });

  it('publishes nothing of which the inputs are not stored', async () => {
    let isDown = false;
    const bed = mixers({
      journal: (journal) =>
        overriding(journal, {
          append: (batch, rows) => (isDown ? new Promise<void>(() => undefined) : journal.append(batch, rows)),
        }),
    });
    const member = await bed.member();
    isDown = true;
    await play(bed, 0, 3);
    expect(trail(member)).toHaveLength(6);
    expect(bed.published('signal.generated')).toEqual([]);
  });

  it('publishes again after a crash what may not have been published, under the same ids', async () => {
    const bed = mixers();
    const first = await bed.member();
    await play(bed, 0, 4);
    // The broker took it, but nobody noted it: the next owner cannot know.
    first.kill();
    await bed.member();
    await turns();
    const ids = bed.published('signal.generated').map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
    expect(ids.slice(0, 4)).toEqual([...new Set(ids)]);
  });

  it('[AGT-4] takes a checkpoint in the middle of what is being written: nothing before it is handled again', async () => {
    let held: Array<() => void> | null = null;
    const bed = mixers({
      journal: (journal) =>
        overriding(journal, {
          append: async (batch, rows) => {
            if (held) await new Promise<void>((resolve) => held?.push(resolve));
            return journal.append(batch, rows);
          },
        }),
    });
    const first = await bed.member();
    await play(bed, 0, 4);
    held = [];
    await play(bed, 4, 8);
    const saved = first.group.checkpoint();
    await play(bed, 8, 12);
    const waiting: Array<() => void> = held;
    held = null;
    for (const resolve of waiting) resolve();
    await saved;
    await turns();
    const before = trail(first);
    first.kill();
    const second = await bed.member();
    expect(second.failures).toEqual([]);
    expect(trail(second)).toEqual(before);
  });

  it('opens a shard again that was lost to an error that passes', async () => {
    let failures = 2;
    const bed = mixers({
      journal: (journal) =>
        overriding(journal, {
          claim: (owner) => (failures-- > 0 ? Promise.reject(new Error('passes')) : journal.claim(owner)),
        }),
      isTransient: ({ message }) => message === 'passes',
    });
    bed.bus.append(tick(BTC, 0, 100));
    const member = await bed.member();
    while (!member.group.isLive) await new Promise((resolve) => setTimeout(resolve, 1));
    await turns();
    expect(member.failures).toEqual([]);
    expect(trail(member)).toEqual(['t100']);
  });

  it('drops a message that comes twice under two offsets', async () => {
    const bed = mixers();
    const member = await bed.member();
    bed.bus.append(tick(BTC, 0, 100));
    bed.bus.append(tick(BTC, 0, 100));
    await turns();
    expect(trail(member)).toEqual(['t100']);
    member.kill();
    expect(trail(await bed.member())).toEqual(['t100']);
  });

  it('fences off an owner that was frozen while another took over: it stores and publishes nothing more', async () => {
    const bed = mixers();
    const frozen = await bed.member();
    await play(bed, 0, 4);
    const next = await bed.member();
    await play(bed, 4, 8);
    const lost = [...frozen.problems, ...next.problems].filter((text) => text.includes('taken over'));
    expect(lost.length).toBeGreaterThan(0);
    const contents = new Map(bed.published('signal.generated').map(({ id, data }) => [id, data.reason]));
    expect(contents.size).toBe(8);
  });

  it('keeps deadlines over a restart, and fires them once', async () => {
    const bed = mixers();
    const first = await bed.member();
    await play(bed, 0, 1);
    first.kill();
    const second = await bed.member();
    bed.clock.advance(10 * 60_000);
    await turns();
    expect(second.shard.engine.host.state<{ rang: number }>('agent/mixer', 'BTC')?.rang).toBe(1);
    second.kill();
    const third = await bed.member();
    bed.clock.advance(60_000);
    await turns();
    expect(third.shard.engine.host.state<{ rang: number }>('agent/mixer', 'BTC')?.rang).toBe(1);
  });

  it('refuses to go on when the code no longer leads where the journal says it led', async () => {
    const bed = mixers();
    const first = await bed.member();
    await play(bed, 0, 4);
    first.kill();
    const silent: Handler = { ...mixer, handle: () => undefined };
    (bed.options as { handlers: readonly Handler[] }).handlers = [silent];
    const second = await bed.member();
    expect(second.failures[0]?.message).toMatch(/journal of shard group#0 cannot be handled again/);
  });

  it('[NFA-1] [SYS-7] stands still alone when its journal cannot be read, and goes on by itself once it can', async () => {
    let isSpoiled = false;
    const bed = mixers({
      reopenMs: 1,
      journal: (journal) =>
        overriding(journal, {
          read: (after) => {
            if (isSpoiled && journal.shard === 'group#0') throw new Error('batch after 0: the text is no JSON');
            return journal.read(after);
          },
        }),
    });
    const first = await bed.member([0, 1, 2], 3);
    await play(bed, 0, 4);
    first.kill();
    isSpoiled = true;
    const second = await bed.member([0, 1, 2], 3);
    while (second.failures.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    await play(bed, 4, 8);
    expect(second.group.isLive).toBe(false);
    expect(second.group.broken).toMatchObject([{ shard: 0, error: { message: 'batch after 0: the text is no JSON' } }]);
    expect(second.group.shards.map(({ name, isLive }) => `${name} ${isLive}`)).toEqual([
      'group#1 true',
      'group#2 true',
    ]);
    isSpoiled = false;
    while (!second.group.isLive) await new Promise((resolve) => setTimeout(resolve, 1));
    await turns();
    expect(second.group.broken).toEqual([]);
    const trails = second.group.shards.flatMap(({ engine }) => engine.host.states());
    const seen = (key: string) => trails.find((one) => one.key === key)?.state as { trail: string[] } | undefined;
    expect(seen('ETH')?.trail).toEqual(Array.from({ length: 8 }, (_, minute) => `t${300 + minute}`));
    expect(seen('BTC')?.trail).toHaveLength(16);
  });

  it('[NFA-1] breaks at a message: nothing of it is stored, no other shard misses anything, mended code handles it whole', async () => {
    let isBroken = true;
    const touchy: Handler<{ trail: string[] }> = {
      ...{ name: 'saga/touchy', role: 'saga', partitionedBy: 'token' },
      ...{ consumes: ['price.tick'], broadcast: ['halt.raised'] },
      initialState: () => ({ trail: [] }),
      handle(event, state, out) {
        if (event.type === 'halt.raised') state.trail.push(event.data.reason);
        if (event.type !== 'price.tick') return;
        const { price, token, timestamp } = event.data;
        state.trail.push(`t${price}`);
        out.emit('signal.error', { token, agent: 'touchy', reason: 'refused', detail: `t${price}`, timestamp });
        if (price !== 666) return;
        // Nobody owns the command: a defect of the platform, which no handler's guard catches.
        if (!isBroken)
          out.emit('signal.error', { token, agent: 'touchy', reason: 'refused', detail: 'mended', timestamp });
        else out.send({ type: 'RaiseHalt', key: 'x', source: 's', scope: 'portfolio', reason: 'r' });
      },
    };
    const bed = new ShardBed({ handlers: [touchy], keyed: ['price.ticks'], broadcast: ['halt.events'] });
    const first = await bed.member([0, 1, 2], 3);
    const shardOf = (member: typeof first, key: string) =>
      member.group.shards.find(({ engine }) => engine.host.state('saga/touchy', key) !== undefined);
    const trailOf = (member: typeof first, key: string): string[] | undefined =>
      shardOf(member, key)?.engine.host.state<{ trail: string[] }>('saga/touchy', key)?.trail;
    const halt = (reason: string): AnyEvent =>
      testEvent('halt.raised', T0, { source: 'operator', scope: 'global', reason, timestamp: T0 });
    const say = async (...events: AnyEvent[]): Promise<void> => {
      for (const event of events) bed.bus.append(event);
      await turns();
    };
    const tokens = ['BTC', 'ETH'];
    await say(...tokens.map((token, index) => tick(`${token}.HYPERLIQUID`, index, 1)));
    await say(halt('one'));
    const other = tokens.find((token) => shardOf(first, token) !== shardOf(first, 'BTC'))!;
    await say(tick(BTC, 10, 666));
    expect(first.failures.map(({ message }) => message)).toEqual([expect.stringMatching(/No handler owns/)]);
    expect(first.group.broken).toHaveLength(1);
    await say(tick(BTC, 20, 2), halt('two'));
    await say(tick(`${other}.HYPERLIQUID`, 21, 3));
    expect(trailOf(first, other)).toEqual(['t1', 'one', 'two', 't3']);
    await first.group.stop();
    isBroken = false;
    const second = await bed.member([0, 1, 2], 3);
    expect(second.failures).toEqual([]);
    expect([...(trailOf(second, 'BTC') ?? [])].sort()).toEqual(['one', 't1', 't2', 't666', 'two']);
    const details = bed.published('signal.error').map(({ data }) => data.detail);
    expect(details.filter((detail) => detail === 't666' || detail === 'mended')).toEqual(['t666', 'mended']);
    await second.group.stop();
  });

  it('remembers ids of inputs over restarts, whatever became of single checkpoints', async () => {
    let outcome: 'stored' | 'lost' | 'unknown' = 'stored';
    const bed = mixers({
      journal: (journal) =>
        overriding(journal, {
          saveCheckpoint: async (checkpoint) => {
            if (outcome !== 'lost') await journal.saveCheckpoint(checkpoint);
            if (outcome !== 'stored') throw new Error('no answer');
          },
        }),
    });
    const all = Array.from({ length: 12 }, (_, index) => tick(BTC, index * 1_000, 100 + index));
    let member = await bed.member();
    for (const [index, next] of (['stored', 'lost', 'unknown', 'lost'] as const).entries()) {
      outcome = next;
      for (const event of all.slice(index * 3, index * 3 + 3)) bed.bus.append(event);
      await turns();
      await member.group.checkpoint();
    }
    for (let restart = 0; restart < 3; restart += 1) {
      outcome = 'stored';
      await member.group.stop();
      member = await bed.member();
      for (const event of all) bed.bus.append(event);
      await turns();
      expect(trail(member)).toHaveLength(12);
    }
    await member.group.stop();
  });

  it('appends what a saga emits to its stream, once, with the inputs that led to it', async () => {
    const bed = new ShardBed({ handlers: [opener], keyed: ['signal.generated'] });
    const first = await bed.member();
    for (let at = 0; at < 5; at += 1) bed.bus.append(signal(at));
    await turns();
    first.kill();
    const second = await bed.member();
    bed.bus.append(signal(5));
    await turns();
    expect(second.failures).toEqual([]);
    const rows = bed.database.appended;
    expect(rows.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(new Set(rows.map(({ event }) => event.id)).size).toBe(6);
    // Streams are the relay's to publish.
    expect(bed.published('consensus.opened')).toEqual([]);
  });

  it('gives every shard its own keys and no other, and all of them what is broadcast', async () => {
    const hearing: Handler<{ heard: string[] }> = {
      ...(mixer as unknown as Handler<{ heard: string[] }>),
      consumes: ['bar.closed'],
      broadcast: ['price.tick'],
      initialState: () => ({ heard: [] }),
      handle(event, state) {
        if (event.type === 'bar.closed') state.heard.push(`bar ${event.data.token}`);
        if (event.type === 'price.tick') state.heard.push(`price ${event.data.token}`);
      },
    };
    const bed = new ShardBed({ handlers: [hearing], keyed: ['market.bars'], broadcast: ['price.ticks'] });
    const member = await bed.member([0, 1, 2], 3);
    for (const token of ['BTC', 'ETH']) bed.bus.append(barClosed(`${token}.HYPERLIQUID`, 0, [1, 2, 1, 2]));
    await turns();
    bed.bus.append(tick(BTC, 60_000, 100));
    await turns();
    const heard = member.group.shards.flatMap(({ engine }) =>
      engine.host.states().map(({ key, state }) => [key, (state as { heard: string[] }).heard] as const),
    );
    expect(heard.sort()).toEqual(['BTC', 'ETH'].map((token) => [token, [`bar ${token}`, 'price BTC']]));
  });
});

function overriding(journal: ShardJournal, more: Partial<ShardJournal>): ShardJournal {
  return {
    shard: journal.shard,
    claim: (owner) => journal.claim(owner),
    append: (batch: JournalBatch, rows) => journal.append(batch, rows),
    read: (afterSeq) => journal.read(afterSeq),
    saveCheckpoint: (checkpoint) => journal.saveCheckpoint(checkpoint),
    latestCheckpoint: (onUnreadable) => journal.latestCheckpoint(onUnreadable),
    ...more,
  };
}

describe('ShardLost', () => {
  it('names both epochs', () => {
    expect(new ShardLost('a#0', 3, 4).message).toContain('epoch 4');
  });
});
