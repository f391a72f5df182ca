import type { AnyEvent } from '@moon/events';
import type { Handler } from '@moon/domain';
import type { BusMessage } from '../../ports/bus';
import { turns } from '../../testing/live-bed';
import { gate } from '../../testing/recording-listener';
import { ShardBed, type ShardMember } from '../../testing/shard-bed';
import { barClosed, tick } from '../../testing/venue-desk';

const BTC = 'BTC.HYPERLIQUID';
const ETH = 'ETH.HYPERLIQUID';
/** As much as a shard that is restored takes of one partition before its turn, and more than that. */
const MOST = 2_000;
const MANY = 2_100;

/** Counts what it hears; a price takes it as long as a test says. */
const listener = (onPrice: () => void = () => undefined): Handler<{ prices: number; bars: number }> => ({
  name: 'agent/listener',
  role: 'agent',
  partitionedBy: 'token',
  consumes: ['price.tick', 'bar.closed'],
  initialState: () => ({ prices: 0, bars: 0 }),
  handle(event, state) {
    if (event.type === 'bar.closed') state.bars += 1;
    if (event.type !== 'price.tick') return;
    onPrice();
    state.prices += 1;
  },
});

const bed = (more: Partial<ConstructorParameters<typeof ShardBed>[0]> = {}): ShardBed =>
  new ShardBed({
    handlers: [listener()],
    keyed: ['market.bars'],
    broadcast: ['price.ticks'],
    mostWaiting: MOST,
    ...more,
  });

const heard = (member: ShardMember): { prices: number; bars: number } =>
  member.shard.engine.host.state<{ prices: number; bars: number }>('agent/listener', 'BTC') ?? { prices: 0, bars: 0 };

const say = (to: ShardBed, from: number, count: number, instrument = BTC): void => {
  for (let at = from; at < from + count; at += 1) to.bus.append(tick(instrument, at, 100 + (at % 50)));
};

const bar = (minute: number): AnyEvent => barClosed(BTC, minute, [1, 2, 1, 2]);

interface Prices {
  list: BusMessage[];
  all: readonly BusMessage[];
}

/** Brings so many of the prices to the broker, and the member. */
async function give(member: ShardMember, { list, all }: Prices, upTo: number): Promise<void> {
  list.push(...all.slice(list.length, upTo));
  member.broadcasts[0]!.wake();
  await turns();
}

async function until(isMet: () => boolean): Promise<void> {
  for (let wait = 0; !isMet() && wait < 300; wait += 1) await turns(20);
  expect(isMet()).toBe(true);
}

describe('a partition that a restored shard holds back', () => {
  it.each([
    ['of what every shard hears', { keyed: ['market.bars'], broadcast: ['price.ticks'] }],
    ['of its own', { keyed: ['price.ticks'], broadcast: ['market.bars'] }],
  ] as const)(
    '[AGT-4] [NFA-1] comes again once half of it is worked off, %s: the journal may name more of it',
    async (_whose, topics) => {
      const there = bed(topics);
      const first = await there.member();
      there.bus.append(bar(0));
      await turns();
      say(there, 0, MANY);
      await until(() => heard(first).prices === MANY);
      await first.shard.log.settled();
      first.kill();
      // The journal begins with the bar, which comes late: prices run ahead of it.
      const [late] = there.bus.messages('market.bars');
      const bars = there.bus.list(late!).splice(0);
      const second = await there.member();
      await until(() => second.shard.isHeld(there.bus.messages('price.ticks')[0]!));
      expect(heard(second)).toEqual({ prices: 0, bars: 0 });
      there.bus.list(late!).push(...bars);
      there.bus.append(bar(1));
      await until(() => second.group.isLive && heard(second).bars === 2);
      say(there, MANY, 10);
      await until(() => heard(second).prices === MANY + 10);
      expect([...first.failures, ...second.failures]).toEqual([]);
    },
  );

  it('[NFA-1] is not read on from the store either, where the broker keeps it no more', async () => {
    let stored: BusMessage[] = [];
    let read = 0;
    const there = bed({
      fill: async function* () {
        for (; read < stored.length; read += 1) yield await Promise.resolve(stored[read]!);
      },
    });
    const first = await there.member();
    say(there, 0, 1);
    await turns();
    await first.group.checkpoint();
    there.bus.append(bar(0));
    await turns();
    say(there, 1, MANY + 4_999);
    await until(() => heard(first).prices === MANY + 5_000);
    await first.shard.log.settled();
    first.kill();
    const [late] = there.bus.messages('market.bars');
    const bars = there.bus.list(late!).splice(0);
    const [{ topic, partition }] = there.bus.messages('price.ticks') as [BusMessage];
    stored = there.bus.list({ topic, partition }).splice(0) as BusMessage[];
    const second = await there.member();
    const filled = second.broadcasts[0]!['listener']!.expired({ topic, partition }, 1, stored.length);
    await until(() => second.shard.isHeld({ topic, partition }));
    await turns();
    expect(read).toBeLessThan(MANY + 1_000);
    there.bus.list(late!).push(...bars);
    there.bus.append(bar(1));
    await filled;
    await until(() => second.group.isLive);
    expect(heard(second).prices).toBe(MANY + 5_000);
    expect([...first.failures, ...second.failures]).toEqual([]);
  });

  it('[NFA-1] comes all the same to another shard that cannot go on without it, and holds what the first one waits for', async () => {
    const there = bed({ mostWaiting: 100 });
    say(there, 0, 300, BTC);
    say(there, 0, 300, ETH);
    const [btc, eth] = ['BTC', 'ETH'].map((key) => {
      const list = there.bus.list(there.bus.messages('price.ticks').find(({ event }) => event.key === key)!);
      return { list, all: list.splice(0) };
    }) as Prices[] as [Prices, Prices];
    // Each has one in its checkpoint of which the other's journal has not heard, and goes on with that one's next.
    for (const [shard, first, second] of [[0, eth, btc] as const, [1, btc, eth] as const]) {
      const member = await there.member([shard], 2);
      await give(member, first, 200);
      await member.group.checkpoint();
      await give(member, first, 201);
      await give(member, second, 300);
      await member.shard.log.settled();
      expect(member.failures).toEqual([]);
      member.kill();
      for (const { list } of [btc, eth]) list.length = 0;
    }
    for (const { list, all } of [btc, eth]) list.push(...all);
    const both = await there.member([0, 1], 2);
    await until(() => both.group.isLive);
    await turns();
    for (const { engine } of both.group.shards)
      expect(['BTC', 'ETH'].map((key) => engine.host.state('agent/listener', key))).toEqual([
        { prices: 300, bars: 0 },
        { prices: 300, bars: 0 },
      ]);
    expect(both.failures).toEqual([]);
  });

  it('[NFA-1] comes again when the shard lives, also while it is still being compared with its venue', async () => {
    const [begun, compared] = [gate(), gate()];
    const there = bed({ begin: () => begun.opened.then(() => []), onLive: () => compared.opened });
    const member = await there.member();
    let isReady = false;
    void member.shard.ready.then(() => (isReady = true));
    say(there, 0, MANY);
    await until(() => member.shard.isHeld(there.bus.messages('price.ticks')[0]!));
    begun.open();
    await until(() => heard(member).prices === MANY);
    expect(isReady).toBe(false);
    compared.open();
    await until(() => isReady);
  });

  it('[NFA-1] comes again when the shard is let go of before it lives', async () => {
    const there = bed({ begin: () => new Promise(() => undefined) });
    const member = await there.member();
    say(there, 0, MANY);
    const [first] = there.bus.messages('price.ticks');
    await until(() => member.shard.isHeld(first!));
    const { shard } = member;
    const hasRoom = shard.room(first!);
    await member.group.stop();
    await hasRoom;
    expect(shard.isHeld(first!)).toBe(false);
  });
});

describe('a journal of many messages', () => {
  it('[NFA-1] is handled again in turns: heartbeats and sockets do not wait for the end of it', async () => {
    let turn = 0;
    let isCounting = true;
    const count = (): void => {
      turn += 1;
      if (isCounting) setImmediate(count);
    };
    const seen = new Set<number>();
    const slowly = listener(() => {
      seen.add(turn);
      for (const end = performance.now() + 1; performance.now() < end;);
    });
    const there = bed({ handlers: [slowly] });
    const first = await there.member();
    say(there, 0, 200);
    await until(() => heard(first).prices === 200);
    await first.shard.log.settled();
    first.kill();
    seen.clear();
    count();
    const second = await there.member();
    await until(() => second.group.isLive);
    isCounting = false;
    expect(heard(second).prices).toBe(200);
    expect(seen.size).toBeGreaterThan(10);
  });
});
