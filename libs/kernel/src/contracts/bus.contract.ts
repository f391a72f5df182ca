import type { AnyEvent, TopicName } from '@moon/events';
import { isRefused, PublisherStopped, type BusConsumer, type EventPublisher } from '../ports/bus';
import type { LogRow } from '../ports/event-store';
import { LEAST_PARTITIONS } from '../platform/groups';
import { gate, RecordingListener, type ListenerHooks } from '../testing/recording-listener';
import { depositRow, tickRow } from './event-store.contract';

/** A bus under test. Everything it hands out is stopped by `close`. */
export interface BusHarness {
  publisher: () => EventPublisher;
  consumer: (options: { groupId: string; topics: readonly TopicName[]; shards: number }) => BusConsumer;
  /** Puts a message on a topic that need not be an event. */
  raw: (topic: TopicName, message: { key: string; value: string; headers: Record<string, string> }) => Promise<void>;
  close: () => Promise<void>;
}

export interface BusContract {
  name: string;
  create: () => Promise<BusHarness>;
}

const TICKS: readonly TopicName[] = ['price.ticks'];
/** As many as a topic has partitions. */
const SHARDS = LEAST_PARTITIONS;
const HALF = SHARDS / 2;
let used = 0;

/** A token or group that no other test has used, on a bus that may be shared. */
const fresh = (prefix: string): string => `${prefix}${Date.now().toString(36).toUpperCase()}${(used += 1)}`;
const ticks = (token: string, count: number): AnyEvent[] =>
  Array.from({ length: count }, (_, index) => tickRow(index + 1, { token }).event);
/** An event of a stream as the relay publishes it. */
const relayed = ({ event, version }: LogRow): AnyEvent =>
  ({ ...event, headers: { ...event.headers, streamVersion: version } }) as AnyEvent;
const idsOf = (events: readonly AnyEvent[]): string[] => events.map(({ id }) => id);

export function describeBus({ name, create }: BusContract): void {
  describe(`bus contract: ${name}`, () => {
    let bus: BusHarness;

    beforeEach(async () => {
      bus = await create();
    });

    afterEach(() => bus.close());

    /** A started member; `hooks` run inside its listener. */
    async function join(
      groupId: string,
      hooks: ListenerHooks = {},
      topics = TICKS,
      shared?: { by: string; log: string[] },
    ) {
      const listener = new RecordingListener(hooks, shared);
      const consumer = bus.consumer({ groupId, topics, shards: SHARDS });
      await consumer.start(listener);
      return { consumer, listener };
    }

    it('keeps the order of every key over calls that overlap, and names the producer', async () => {
      const tokens = [fresh('A'), fresh('B'), fresh('C')];
      const { listener } = await join(fresh('order'));
      const publisher = bus.publisher();
      const calls: Promise<void>[] = [];
      for (let index = 0; index < 60; index += 1) {
        for (const token of tokens)
          calls.push(
            publisher.publish([tickRow(index + 1, { token }).event], token === tokens[0] ? 'shard-1' : undefined),
          );
      }
      await Promise.all(calls);
      // A batch whose acknowledgement is late is sent again, whole: copies may follow, and none is ahead of its first.
      const firsts = (token: string): string[] => [...new Set(listener.idsOf(token))];
      await listener.until(() => tokens.every((token) => firsts(token).length >= 60));
      for (const token of tokens) expect(firsts(token)).toEqual(idsOf(ticks(token, 60)));
      const producers = listener.messagesSeen.flatMap((message) =>
        !isRefused(message) && tokens.includes(message.event.key) ? [`${message.event.key} ${message.producer}`] : [],
      );
      expect(new Set(producers)).toEqual(new Set([`${tokens[0]} shard-1`, `${tokens[1]} null`, `${tokens[2]} null`]));
      expect(publisher.backlog).toBe(0);
    });

    it('gives nothing of a shard before its owner has taken it on, and starts where the owner says', async () => {
      const token = fresh('G');
      const publisher = bus.publisher();
      await publisher.publish(ticks(token, 10));
      const witness = await join(fresh('witness'));
      await witness.listener.until(() => witness.listener.idsOf(token).length === 10);
      const sixth = witness.listener.messagesSeen.find(
        (message) => !isRefused(message) && message.event.id === ticks(token, 6)[5]!.id,
      )!;
      const door = gate();
      const groupId = fresh('gated');
      const late: BusConsumer = bus.consumer({ groupId, topics: TICKS, shards: SHARDS });
      const listener = new RecordingListener({
        assigned: async () => {
          await door.opened;
          late.seek(sixth);
        },
      });
      await late.start(listener);
      await listener.until(() => listener.told.length > 0);
      await publisher.publish(ticks(fresh('G'), 1));
      await witness.listener.until(() => witness.listener.told.at(-1)!.kind === 'messages');
      expect(listener.messagesSeen).toEqual([]);
      door.open();
      await listener.until(() => listener.idsOf(token).length >= 5);
      expect(listener.idsOf(token)).toEqual(idsOf(ticks(token, 10).slice(5)));
    });

    it('gives again what lies behind a position that is sought', async () => {
      const token = fresh('S');
      const { consumer, listener } = await join(fresh('seek'));
      await bus.publisher().publish(ticks(token, 8));
      await listener.until(() => listener.idsOf(token).length === 8);
      const third = listener.messagesSeen.find(
        (message) => !isRefused(message) && message.event.id === ticks(token, 3)[2]!.id,
      )!;
      consumer.seek(third);
      await listener.until(() => listener.idsOf(token).length >= 14);
      expect(listener.idsOf(token)).toEqual([...idsOf(ticks(token, 8)), ...idsOf(ticks(token, 8).slice(2))]);
    });

    it('says when its owner is done with everything that was there, and when nothing moves on', async () => {
      const token = fresh('C');
      await bus.publisher().publish(ticks(token, 6));
      const door = gate();
      const { consumer, listener } = await join(fresh('caughtup'), { messages: () => door.opened });
      const partitions = consumer.partitions(TICKS);
      expect(await consumer.caughtUp(partitions, 100)).toBe(false);
      const caughtUp = consumer.caughtUp(partitions, 30_000);
      door.open();
      expect(await caughtUp).toBe(true);
      expect(listener.idsOf(token)).toEqual(idsOf(ticks(token, 6)));
      expect(await consumer.caughtUp(partitions, 30_000)).toBe(true);
    });

    it('a successor starts at what was committed', async () => {
      const [groupId, token] = [fresh('commit'), fresh('K')];
      const first = await join(groupId);
      await bus.publisher().publish(ticks(token, 9));
      await first.listener.until(() => first.listener.idsOf(token).length === 9);
      const fifth = first.listener.messagesSeen.find(
        (message) => !isRefused(message) && message.event.id === ticks(token, 5)[4]!.id,
      )!;
      await first.consumer.commit([fifth]);
      await first.consumer.stop();
      const second = await join(groupId);
      await second.listener.until(() => second.listener.idsOf(token).length >= 5);
      expect(second.listener.idsOf(token)).toEqual(idsOf(ticks(token, 9).slice(4)));
    });

    it('[BRK-2] what has one key is with one member, whatever the topic, and every shard has an owner', async () => {
      const [groupId, topics] = [fresh('copart'), ['price.ticks', 'portfolio.events', 'order.events'] as const];
      const a = await join(groupId, {}, topics);
      const b = await join(groupId, {}, topics);
      await Promise.race([
        a.listener.until(() => a.listener.shards.length === HALF && b.listener.shards.length === HALF),
        b.listener.until(() => a.listener.shards.length === HALF && b.listener.shards.length === HALF),
      ]);
      expect([...a.listener.shards, ...b.listener.shards].sort()).toEqual([...Array(SHARDS).keys()]);
      const keys = Array.from({ length: 24 }, () => fresh('P'));
      const deposits = keys.map((key) => relayed(depositRow(1, 1, key)));
      const both = [...keys.map((key) => tickRow(1, { token: key }).event), ...deposits];
      await bus.publisher().publish(both, 'execution#0');
      const seen = (): number =>
        [a, b].flatMap(({ listener }) => listener.events).filter(({ key }) => keys.includes(key)).length;
      await Promise.race([
        a.listener.until(() => seen() >= both.length),
        b.listener.until(() => seen() >= both.length),
      ]);
      for (const key of keys) {
        const readers = [a, b].filter(({ listener }) => listener.idsOf(key).length > 0);
        expect(readers.map(({ listener }) => listener.idsOf(key).length)).toEqual([2]);
      }
      expect([a, b].every(({ listener }) => keys.some((key) => listener.idsOf(key).length > 0))).toBe(true);
    });

    it('moves a shard only when its owner has let go of it, and moves no more than it must', async () => {
      const groupId = fresh('move');
      const log: string[] = [];
      const door = gate();
      const a = await join(groupId, { revoked: () => door.opened }, TICKS, { by: 'a', log });
      await a.listener.until(() => a.listener.shards.length === SHARDS);
      const b = await join(groupId, {}, TICKS, { by: 'b', log });
      await a.listener.until(() => a.listener.shards.length === HALF);
      expect(b.listener.shards).toEqual([]);
      door.open();
      await b.listener.until(() => b.listener.shards.length === HALF);
      for (const shard of b.listener.shards) {
        expect(log.indexOf(`a revoked.done ${shard}`)).toBeGreaterThan(-1);
        expect(log.indexOf(`b assigned ${shard}`)).toBeGreaterThan(log.indexOf(`a revoked.done ${shard}`));
      }
      expect(log.filter((line) => line.startsWith('a assigned '))).toHaveLength(SHARDS);
      await b.consumer.stop();
      await a.listener.until(() => a.listener.shards.length === SHARDS);
      expect(b.listener.shards).toEqual([]);
    });

    it('what is no event comes with its reason, at its place among the events', async () => {
      const token = fresh('R');
      const [good, next] = ticks(token, 2);
      const publisher = bus.publisher();
      const headersOf = (changes: Record<string, string>): Record<string, string> => ({
        ce_specversion: '1.0',
        ce_id: good!.id,
        ce_type: 'price.tick',
        ce_source: good!.source,
        ce_time: new Date(good!.occurredAt).toISOString(),
        ce_partitionkey: token,
        ce_correlationid: good!.id,
        ce_schemaversion: String(good!.schemaVersion),
        'content-type': 'application/json',
        ...changes,
      });
      const { listener } = await join(fresh('refused'));
      await publisher.publish([good!]);
      await bus.raw('price.ticks', { key: token, value: 'hello', headers: {} });
      const body = JSON.stringify(good!.data);
      await bus.raw('price.ticks', { key: token, value: body, headers: headersOf({ ce_schemaversion: '99' }) });
      await bus.raw('price.ticks', { key: token, value: '{"event_type":"price.tick"}', headers: headersOf({}) });
      await bus.raw('price.ticks', { key: token, value: '{broken', headers: headersOf({}) });
      await bus.raw('price.ticks', { key: token, value: body, headers: headersOf({ ce_source: 'stranger' }) });
      await publisher.publish([next!]);
      await listener.until(() => listener.idsOf(token).length === 2);
      const partition = listener.messagesSeen.find(
        (message) => !isRefused(message) && message.event.id === good!.id,
      )!.partition;
      const own = listener.messagesSeen.filter((message) => message.partition === partition);
      const after = own.slice(own.findIndex((message) => !isRefused(message) && message.event.id === good!.id));
      expect(after.map((message) => (isRefused(message) ? message.reason : message.event.id))).toEqual([
        good!.id,
        'no_cloud_event',
        'unknown_version',
        'missing_field',
        'json',
        'forged_source',
        next!.id,
      ]);
      expect(after[1]).toMatchObject({ raw: { key: token, value: 'hello', headers: {} } });
      expect(after[2]).toMatchObject({ detail: expect.stringContaining('99') as string });
    });

    it('a partition waits for its owner, the others do not', async () => {
      const [slow, quick] = [fresh('W'), fresh('Q')];
      const door = gate();
      let stuckOn: number | null = null;
      const { listener } = await join(fresh('pressure'), {
        messages: ({ partition }, messages) => {
          if (messages.some((message) => !isRefused(message) && message.event.key === slow)) stuckOn ??= partition;
          return partition === stuckOn ? door.opened : undefined;
        },
      });
      const publisher = bus.publisher();
      await publisher.publish(ticks(slow, 1));
      await listener.until(() => listener.idsOf(slow).length === 1);
      await publisher.publish(ticks(slow, 5).slice(1));
      // Of many keys some are in other partitions.
      const others = Array.from({ length: 24 }, () => fresh(quick));
      await publisher.publish(others.map((token) => tickRow(1, { token }).event));
      await listener.until(() => others.filter((token) => listener.idsOf(token).length > 0).length >= 6);
      expect(listener.idsOf(slow)).toHaveLength(1);
      door.open();
      await listener.until(() => listener.idsOf(slow).length >= 5);
      expect(listener.idsOf(slow)).toEqual(idsOf(ticks(slow, 5)));
    });

    it('gives the same messages again when the owner fails', async () => {
      const token = fresh('F');
      let failures = 2;
      const { listener } = await join(fresh('failing'), {
        messages: (_, messages) => {
          if (failures === 0 || !messages.some((message) => !isRefused(message) && message.event.key === token)) return;
          failures -= 1;
          throw new Error('the owner fails');
        },
      });
      await bus.publisher().publish(ticks(token, 3));
      await listener.until(() => listener.idsOf(token).length >= 9);
      expect(listener.idsOf(token)).toEqual([1, 2, 3].flatMap(() => idsOf(ticks(token, 3))));
    });

    it('a paused partition stands still, counts as lag, and goes on without a loss', async () => {
      const token = fresh('Z');
      const { consumer, listener } = await join(fresh('pause'));
      const publisher = bus.publisher();
      await publisher.publish(ticks(token, 1));
      await listener.until(() => listener.idsOf(token).length === 1);
      const { topic, partition } = listener.messagesSeen.find(
        (message) => !isRefused(message) && message.event.key === token,
      )!;
      consumer.pause([{ topic, partition }]);
      await publisher.publish(ticks(token, 4).slice(1));
      const witness = await join(fresh('witness'));
      await witness.listener.until(() => witness.listener.idsOf(token).length === 4);
      expect(listener.idsOf(token)).toHaveLength(1);
      consumer.resume([{ topic, partition }]);
      await listener.until(() => listener.idsOf(token).length >= 4);
      expect(listener.idsOf(token)).toEqual(idsOf(ticks(token, 4)));
    });

    it('a publisher that was stopped says so', async () => {
      const publisher = bus.publisher();
      await publisher.publish(ticks(fresh('X'), 1));
      await publisher.stop();
      await expect(publisher.publish(ticks(fresh('X'), 2))).rejects.toThrow(PublisherStopped);
    });
  });
}
