import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnyEvent } from '@moon/events';
import { PublisherStopped } from '@moon/kernel';
import { tickRow } from '../../../kernel/src/contracts/event-store.contract';
import type { PublishTrouble } from './record-sender';
import { Spool, type SpoolOptions } from './spool';
import { SpoolingPublisher, type AwayHooks, type AwayPublisher } from './spooling-publisher';

const tick = (token: string, seq: number): AnyEvent => tickRow(seq, { token }).event;
const namesOf = (events: readonly AnyEvent[]): string[] =>
  events.map(({ key, data }) => `${key}${(data as { price: number }).price - 100}`);

describe('the spool of a feed', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'moon-spool-'));
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** Opens it as a new process would. */
  async function reopen(options: Partial<SpoolOptions> = {}) {
    const found: AnyEvent[] = [];
    const dropped: string[] = [];
    const spool = await Spool.open({ directory, onDropped: (problem) => dropped.push(problem), ...options }, (event) =>
      found.push(event),
    );
    return { spool, found, dropped };
  }

  it('[BRK-3] keeps events over a restart, in order, over several segments', async () => {
    const { spool } = await reopen({ segmentBytes: 600 });
    for (let seq = 1; seq <= 7; seq += 1) await spool.append([tick('A', seq), tick('B', seq)]);
    // Not closed: the process is killed.
    const { spool: again, found, dropped } = await reopen();
    expect(readdirSync(directory).length).toBeGreaterThan(2);
    expect(namesOf(found)).toEqual([1, 2, 3, 4, 5, 6, 7].flatMap((seq) => [`A${seq}`, `B${seq}`]));
    expect(dropped).toEqual([]);
    const drained: AnyEvent[] = [];
    for (let segment = await again.head(); segment !== null; segment = await again.head()) {
      drained.push(...segment.events);
      await segment.remove();
    }
    expect(drained).toEqual(found);
    expect(readdirSync(directory)).toEqual([]);
    await spool.close();
  });

  it.each([1, 9, 20, 200])(
    'a last record of which a crash left %i bytes is dropped and named, those before it stay',
    async (kept) => {
      const { spool } = await reopen();
      await spool.append([tick('A', 1)]);
      await spool.close();
      const [name] = readdirSync(directory);
      const file = join(directory, name!);
      const line = readFileSync(file);
      appendFileSync(file, line.subarray(0, kept));
      const { found, dropped, spool: again } = await reopen();
      expect(namesOf(found)).toEqual(['A1']);
      expect(dropped).toEqual([expect.stringContaining(`${kept} bytes behind event 1`)]);
      await again.append([tick('A', 2)]);
      expect(namesOf((await reopen()).found)).toEqual(['A1', 'A2']);
      await again.close();
    },
  );

  it('a damaged byte is found', async () => {
    const { spool } = await reopen();
    await spool.append([tick('A', 1), tick('A', 2)]);
    await spool.close();
    const [name] = readdirSync(directory);
    const content = readFileSync(join(directory, name!));
    content[content.length - 10]! ^= 1;
    writeFileSync(join(directory, name!), content);
    const { found, dropped } = await reopen();
    expect(namesOf(found)).toEqual(['A1']);
    expect(dropped).toHaveLength(1);
  });

  describe('behind a publisher', () => {
    /** A broker that can be away; what it acknowledged is in order. */
    class Broker implements AwayPublisher {
      readonly taken: AnyEvent[] = [];
      isAway = false;
      private queue: { events: readonly AnyEvent[]; resolve: () => void; reject: (error: Error) => void }[] = [];
      isSlow = false;
      hooks!: AwayHooks;

      get backlog(): number {
        return this.queue.length;
      }

      publish(events: readonly AnyEvent[]): Promise<void> {
        return new Promise((resolve, reject) => {
          this.queue.push({ events, resolve, reject });
          if (!this.isAway && !this.isSlow) this.work();
        });
      }

      work(): void {
        for (const { events, resolve } of this.queue.splice(0)) {
          this.taken.push(...events);
          resolve();
        }
      }

      leave(): void {
        this.isAway = true;
        this.hooks.onTrouble({ attempts: 3, backlog: 0, oldestMs: 0, reason: 'away' } satisfies PublishTrouble);
      }

      comeBack(): void {
        this.isAway = false;
        this.work();
        this.hooks.onRecovered();
      }

      stop(): Promise<void> {
        for (const { reject } of this.queue.splice(0)) reject(new PublisherStopped(1));
        return Promise.resolve();
      }
    }

    const feedLog: string[] = [];
    const feed = { pause: () => void feedLog.push('pause'), resume: () => void feedLog.push('resume') };
    let opened: SpoolingPublisher[] = [];

    beforeEach(() => {
      feedLog.length = 0;
    });

    afterEach(async () => {
      await Promise.all(opened.map((publisher) => publisher.stop()));
      opened = [];
    });

    async function start(broker: Broker, options: Partial<SpoolOptions> = {}): Promise<SpoolingPublisher> {
      const publisher = await SpoolingPublisher.open({
        spool: { directory, ...options },
        feed,
        publisher: (hooks) => {
          broker.hooks = hooks;
          return broker;
        },
      });
      opened.push(publisher);
      return publisher;
    }

    const drained = async (publisher: SpoolingPublisher): Promise<void> => {
      while (publisher.spooled.events > 0) await new Promise((resolve) => setImmediate(resolve));
    };

    it('takes events while the broker is away, and gives them to it in the order of each key', async () => {
      const broker = new Broker();
      const publisher = await start(broker);
      await publisher.publish([tick('A', 1)]);
      broker.isSlow = true;
      const underWay = publisher.publish([tick('A', 2), tick('B', 1)]);
      broker.leave();
      await underWay;
      await publisher.publish([tick('A', 3)]);
      expect(namesOf(broker.taken)).toEqual(['A1']);
      expect(publisher.spooled.events).toBe(3);
      broker.isSlow = false;
      broker.comeBack();
      await drained(publisher);
      const firsts = [...new Set(namesOf(broker.taken))];
      expect(firsts.filter((name) => name.startsWith('A'))).toEqual(['A1', 'A2', 'A3']);
      expect(firsts).toContain('B1');
    });

    it('a spooled key blocks its successors, and no other key', async () => {
      const broker = new Broker();
      const publisher = await start(broker);
      broker.leave();
      await publisher.publish([tick('A', 1)]);
      broker.isSlow = true;
      broker.comeBack();
      // The drain is under way and not acknowledged.
      while (broker.backlog === 0) await new Promise((resolve) => setImmediate(resolve));
      const [later, other] = [publisher.publish([tick('A', 2)]), publisher.publish([tick('B', 1)])];
      await later;
      broker.isSlow = false;
      broker.work();
      await other;
      await drained(publisher);
      expect(namesOf(broker.taken)).toEqual(['A1', 'B1', 'A2']);
    });

    it('what a killed process left is published by the next one, before its keys go on', async () => {
      const first = new Broker();
      const killed = await start(first);
      first.leave();
      await killed.publish([tick('A', 1), tick('A', 2)]);
      const broker = new Broker();
      const publisher = await start(broker);
      await publisher.publish([tick('A', 3)]);
      await drained(publisher);
      expect(namesOf(broker.taken)).toEqual(['A1', 'A2', 'A3']);
    });

    it('a full spool has the feed pause, and go on when there is room', async () => {
      const broker = new Broker();
      const publisher = await start(broker, { maxBytes: 500 });
      broker.leave();
      await publisher.publish([tick('A', 1), tick('A', 2)]);
      expect(feedLog).toEqual([]);
      const late = publisher.publish([tick('A', 3)]);
      while (feedLog.length === 0) await new Promise((resolve) => setImmediate(resolve));
      expect(feedLog).toEqual(['pause']);
      broker.comeBack();
      await late;
      await drained(publisher);
      expect(feedLog).toEqual(['pause', 'resume']);
      expect(namesOf(broker.taken)).toEqual(['A1', 'A2', 'A3']);
    });
  });
});
