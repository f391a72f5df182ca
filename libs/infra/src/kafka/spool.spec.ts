import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
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
    const { spool: again, found, dropped } = await reopen();
    expect(namesOf(found)).toEqual(['A1']);
    expect(dropped).toEqual([
      expect.stringContaining(`the file as it was is kept as ${join(directory, name!)}.damaged`),
    ]);
    expect(readFileSync(join(directory, `${name!}.damaged`))).toEqual(content);
    expect(again.lost).toBe(1);
    expect((await reopen()).dropped).toEqual([]);
  });

  describe('on a disk that takes a part of what it is given', () => {
    let files: FileHandle;

    beforeEach(async () => {
      const handle = await open(join(directory, 'any'), 'w');
      files = Object.getPrototypeOf(handle) as FileHandle;
      await handle.close();
      rmSync(join(directory, 'any'));
    });
    afterEach(() => jest.restoreAllMocks());

    /** The first write takes so many bytes, without an error; what comes of the next one is `then`. */
    function takesOnly(bytes: number, then: 'goes on' | 'is full'): void {
      const write = files.write;
      const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      const take = jest.spyOn(files, 'write') as unknown as jest.SpyInstance<Promise<unknown>, unknown[]>;
      take.mockImplementationOnce(function (this: FileHandle, ...[from, at, , to]: unknown[]) {
        return Reflect.apply(write, this, [from, at, bytes, to]) as Promise<unknown>;
      });
      if (then === 'is full') take.mockRejectedValueOnce(full);
    }

    it('[BRK-3] the rest is written, too', async () => {
      const { spool } = await reopen();
      await spool.append([tick('A', 1)]);
      takesOnly(40, 'goes on');
      await spool.append([tick('A', 2), tick('A', 3)]);
      await spool.append([tick('A', 4)]);
      expect(namesOf((await spool.head())!.events)).toEqual(['A1', 'A2', 'A3', 'A4']);
      await spool.close();
    });

    it('[BRK-3] none of it counts when the disk is full, and what follows stands in its place', async () => {
      const { spool } = await reopen();
      await spool.append([tick('A', 1)]);
      takesOnly(40, 'is full');
      await expect(spool.append([tick('A', 2), tick('A', 3)])).rejects.toThrow(/ENOSPC/);
      expect(spool.size).toBe(1);
      await spool.append([tick('A', 4)]);
      expect(namesOf((await spool.head())!.events)).toEqual(['A1', 'A4']);
      const { found, dropped } = await reopen();
      expect(namesOf(found)).toEqual(['A1', 'A4']);
      expect(dropped).toEqual([]);
      await spool.close();
    });
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

    it('what the disk has damaged is kept aside and told, and blocks no key for good', async () => {
      const broker = new Broker();
      const dropped: string[] = [];
      const publisher = await start(broker, { onDropped: (problem) => dropped.push(problem) });
      broker.leave();
      await publisher.publish([tick('A', 1)]);
      await publisher.publish([tick('B', 1), tick('A', 2)]);
      const [name] = readdirSync(directory);
      const file = join(directory, name!);
      const content = readFileSync(file);
      const [firstEnd, lastEnd] = [content.indexOf(0x0a), content.length];
      content.fill(0, firstEnd + 1, firstEnd + 100);
      writeFileSync(file, content);
      broker.comeBack();
      await drained(publisher);
      expect(namesOf(broker.taken)).toEqual(['A1']);
      expect(dropped).toEqual([expect.stringMatching(/: 2 of 3 events, all behind event 1, cannot be read back/)]);
      expect(publisher.spooled).toEqual({ events: 0, bytes: 0, lost: 2 });
      expect(readFileSync(`${file}.damaged`)).toHaveLength(lastEnd);
      // Neither key goes to the disk any more.
      await publisher.publish([tick('A', 3), tick('B', 2)]);
      expect(namesOf(broker.taken)).toEqual(['A1', 'A3', 'B2']);
      expect(readdirSync(directory)).toEqual([`${name!}.damaged`]);
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
