import { TOPICS } from '@moon/events';
import { MemoryBus, partitionOf, type MemoryConsumer } from '../../memory/memory-bus';
import type { BusMessage, BusPartition } from '../../ports/bus';
import { isRefused } from '../../ports/bus';
import { slotOf } from './message-buffer';
import { turns } from '../../testing/live-bed';
import { barClosed, tick } from '../../testing/venue-desk';
import { SharedBroadcast, type BroadcastHearer } from './shared-broadcast';

const BTC = 'BTC.HYPERLIQUID';

/** A group that reads on from where it stands, and notes what came that it had not had. */
class Group implements BroadcastHearer {
  readonly heard: string[] = [];
  /** Where it begins; Infinity: it has no shard yet. */
  from: number = Infinity;
  private readonly read = new Map<string, number>();
  wait: Promise<void> = Promise.resolve();
  awaited: string | null = null;

  constructor(readonly topics: BroadcastHearer['topics']) {}

  earliest(partition: BusPartition): number {
    return this.read.get(slotOf(partition)) ?? this.from;
  }

  awaits(partition: BusPartition): boolean {
    return this.awaited === slotOf(partition);
  }

  async messages(from: BusPartition, messages: Parameters<BroadcastHearer['messages']>[1]): Promise<void> {
    await this.wait;
    for (const message of messages.filter((one): one is BusMessage => !isRefused(one))) {
      if (message.offset !== this.earliest(from)) continue;
      this.read.set(slotOf(from), message.offset + 1);
      const { event } = message;
      this.heard.push(String(event.type === 'price.tick' ? event.data.price : event.type));
    }
  }

  expired(): Promise<void> {
    return Promise.resolve();
  }
}

describe('SharedBroadcast', () => {
  let bus: MemoryBus;
  let line: SharedBroadcast;
  let opened: MemoryConsumer[];

  beforeEach(() => {
    bus = new MemoryBus();
    opened = [];
    line = new SharedBroadcast((topics) => {
      const consumer = bus.consumer('all', topics);
      opened.push(consumer);
      return consumer;
    });
  });

  const added = (...topics: BroadcastHearer['topics'][number][]): Group => {
    const group = new Group(topics);
    line.add(group);
    return group;
  };
  const say = (from: number, to: number): void => {
    for (let at = from; at < to; at += 1) bus.append(tick(BTC, at * 1_000, 100 + at));
  };
  const prices = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, index) => String(100 + from + index));

  it('[AGT-4] reads once for all groups of a process, and brings each what it hears', async () => {
    const [ticks, both] = [added('price.ticks'), added('price.ticks', 'market.bars')];
    await Promise.all([line.start(), line.start()]);
    ticks.from = both.from = 0;
    line.seek(['price.ticks', 'market.bars']);
    say(0, 3);
    bus.append(barClosed(BTC, 0, [1, 2, 1, 2]));
    await turns();
    // The busiest topic is read apart.
    expect(opened).toHaveLength(2);
    expect(ticks.heard).toEqual(prices(0, 3));
    expect(both.heard).toEqual([...prices(0, 3), 'bar.closed']);
    expect(line.lag(['price.ticks'])).toEqual({ 'price.ticks': 0 });
  });

  it('[AGT-4] goes back to where the group that is furthest behind reads on, and no further forward than that', () =>
    goesBack());

  it('[AGT-4] goes back in every partition that the broker has, also in those that the catalog does not know of', async () => {
    const inCatalog = TOPICS['price.ticks'].partitions;
    const counts = Array.from({ length: 9 }, (_, index) => (index + 2) * inCatalog);
    const more = counts.find((count) => partitionOf(tick(BTC, 0, 1).key, count) >= inCatalog);
    expect(more).toBeDefined();
    bus = new MemoryBus({ 'price.ticks': more });
    await goesBack();
  });

  async function goesBack(): Promise<void> {
    const [early, late] = [added('price.ticks'), added('price.ticks')];
    await line.start();
    early.from = 0;
    line.seek(['price.ticks']);
    say(0, 25);
    await turns();
    late.from = 5;
    line.seek(['price.ticks']);
    line.seek(['price.ticks']);
    await turns();
    expect(early.heard).toEqual(prices(0, 25));
    expect(late.heard).toEqual(prices(5, 25));
  }

  it('brings no more of a partition until everybody who paused it has resumed it', async () => {
    const group = added('price.ticks');
    await line.start();
    group.from = 0;
    line.seek(['price.ticks']);
    say(0, 1);
    await turns();
    const [{ topic, partition }] = bus.messages('price.ticks') as [BusMessage];
    line.pause({ topic, partition });
    line.pause({ topic, partition });
    say(1, 2);
    line.resume({ topic, partition });
    await turns();
    expect(group.heard).toEqual(prices(0, 1));
    line.resume({ topic, partition });
    await turns();
    expect(group.heard).toEqual(prices(0, 2));
  });

  it('[NFA-1] brings what is paused all the same to a shard that cannot go on without it: it may hold what the other waits for', async () => {
    const group = added('price.ticks');
    await line.start();
    group.from = 0;
    line.seek(['price.ticks']);
    say(0, 1);
    await turns();
    const [from] = bus.messages('price.ticks') as [BusMessage];
    line.pause(from);
    say(1, 2);
    await turns();
    expect(group.heard).toEqual(prices(0, 1));
    group.awaited = slotOf(from);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(group.heard).toEqual(prices(0, 2));
    line.pause(from);
    say(2, 3);
    await turns();
    expect(group.heard).toEqual(prices(0, 3));
    group.awaited = null;
    line.pause(from);
    say(3, 4);
    await turns();
    expect(group.heard).toEqual(prices(0, 3));
    for (let time = 0; time < 3; time += 1) line.resume(from);
    await turns();
    expect(group.heard).toEqual(prices(0, 4));
  });

  it('brings nothing to a group that has left, and ends with the last', async () => {
    const [gone, there] = [added('price.ticks'), added('price.ticks')];
    await line.start();
    gone.from = there.from = 0;
    line.seek(['price.ticks']);
    await line.leave(gone);
    say(0, 2);
    await turns();
    expect([gone.heard, there.heard]).toEqual([[], prices(0, 2)]);
    await line.leave(there);
    say(2, 4);
    await turns();
    expect(there.heard).toEqual(prices(0, 2));
    expect(() => added('price.ticks')).toThrow(/groups are added before the first one starts/);
  });
});
