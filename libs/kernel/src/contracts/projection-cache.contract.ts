import {
  eventVersion,
  GenerationConflict,
  NoGeneration,
  streamVersion,
  type CacheUpdate,
  type ProjectionCache,
} from '../ports/projection-cache';

/** A cache under test, empty and without a generation. */
export interface ProjectionCacheHarness {
  cache: ProjectionCache;
  /** Another client of the same cache. */
  again: () => Promise<ProjectionCache>;
  close: () => Promise<void>;
}

export interface ProjectionCacheContract {
  name: string;
  create: () => Promise<ProjectionCacheHarness>;
  /** True where the cache is the one that the requirements name: only then its tests prove them. */
  isRedis?: boolean;
}

const update = (key: string, version: number, value: string | null = `{"v":${version}}`): CacheUpdate => ({
  key,
  version: streamVersion(version),
  value,
});

const GENERATION = '1000';
const NEXT = '2000';

/** Waits until something is so, as long as the test may take. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** What the platform relies on, of every cache of projections. */
export function describeProjectionCache({ name, create, isRedis = false }: ProjectionCacheContract): void {
  const proves = (id: string, title: string): string => (isRedis ? `[${id}] ${title}` : title);
  describe(`projection cache contract: ${name}`, () => {
    let harness: ProjectionCacheHarness;
    let cache: ProjectionCache;
    const others: ProjectionCache[] = [];

    beforeEach(async () => {
      harness = await create();
      cache = harness.cache;
    });
    afterEach(async () => {
      await Promise.all(others.splice(0).map((other) => other.close()));
      await harness.close();
    });

    const again = async (): Promise<ProjectionCache> => {
      const other = await harness.again();
      others.push(other);
      return other;
    };
    const entriesOf = async (...keys: string[]) => (await cache.get(keys)).entries;
    const allKeys = async (): Promise<string[]> => {
      const found = new Set<string>();
      for await (const page of cache.keys()) for (const key of page) found.add(key);
      return [...found].sort();
    };

    it('holds nothing at first, and takes nothing before a generation is opened', async () => {
      expect(await cache.identity()).toMatchObject({ generation: null, isWhole: false });
      expect(await cache.get(['a'])).toEqual({ generation: null, isWhole: false, entries: [null] });
      expect(await cache.versions(['a'])).toEqual([null]);
      await expect(cache.put([update('a', 1)])).rejects.toThrow(NoGeneration);
      expect(await allKeys()).toEqual([]);
    });

    it('opens one generation, whoever is first, and says when all is in it', async () => {
      const other = await again();
      expect(await cache.open(GENERATION)).toMatchObject({ generation: GENERATION, isWhole: false });
      expect(await other.open(NEXT)).toMatchObject({ generation: GENERATION, isWhole: false });
      await expect(other.complete(NEXT)).rejects.toThrow(GenerationConflict);
      await cache.complete(GENERATION);
      expect(await other.open(NEXT)).toMatchObject({ generation: GENERATION, isWhole: true });
      expect(await other.get([])).toEqual({ generation: GENERATION, isWhole: true, entries: [] });
    });

    describe('with a generation', () => {
      beforeEach(async () => {
        await cache.open(GENERATION);
        await cache.complete(GENERATION);
      });

      it(proves('CCH-1', 'takes a newer version, and neither the same nor an older one'), async () => {
        expect(await cache.put([update('portfolio:main', 2)])).toEqual([true]);
        expect(await cache.put([update('portfolio:main', 2, '"other"')])).toEqual([false]);
        expect(await cache.put([update('portfolio:main', 1)])).toEqual([false]);
        expect(await entriesOf('portfolio:main')).toEqual([{ version: streamVersion(2), value: '{"v":2}' }]);
        expect(await cache.put([update('portfolio:main', 10)])).toEqual([true]);
        expect(await entriesOf('portfolio:main')).toEqual([{ version: streamVersion(10), value: '{"v":10}' }]);
      });

      it(proves('CCH-1', 'orders versions of events by time, then by id'), async () => {
        const at = (occurredAt: number, digit: string): CacheUpdate => {
          const id = `${digit.repeat(8)}-0000-5000-8000-000000000000`;
          return {
            key: 'market:X',
            version: eventVersion({ occurredAt, id }),
            value: JSON.stringify([occurredAt, id]),
          };
        };
        expect(await cache.put([at(5, '9')])).toEqual([true]);
        expect(await cache.put([at(5, 'a'), at(5, '1'), at(4, 'f')])).toEqual([true, false, false]);
        expect(await cache.put([at(1_800_000_000_000, '0')])).toEqual([true]);
        expect(await cache.put([at(5, 'f')])).toEqual([false]);
      });

      it(proves('CCH-1', 'remembers at which version a key was deleted'), async () => {
        await cache.put([update('order:1', 1), update('order:1', 3, null)]);
        expect(await entriesOf('order:1')).toEqual([{ version: streamVersion(3), value: null }]);
        expect(await cache.put([update('order:1', 2)])).toEqual([false]);
        expect(await entriesOf('order:1')).toEqual([{ version: streamVersion(3), value: null }]);
        expect(await cache.put([update('order:1', 4)])).toEqual([true]);
        expect(await cache.versions(['order:1', 'order:2'])).toEqual([streamVersion(4), null]);
      });

      it('keeps texts byte for byte, and any key without a line break', async () => {
        const text = JSON.stringify({ größe: '1.50', 'a b': [null, -0.1e-7, '☃ 😀 \\ " \n \u2028'], empty: {} });
        const key = 'agent:agent/chart:error ☃';
        await cache.put([{ key, version: streamVersion(1), value: text }]);
        expect(await entriesOf(key)).toEqual([{ version: streamVersion(1), value: text }]);
      });

      it('takes and gives many at once, in their order', async () => {
        const updates = Array.from({ length: 1_234 }, (_, index) => update(`order:${index % 1_000}`, index + 1));
        const applied = await cache.put(updates);
        expect(applied).toEqual(updates.map(() => true));
        const keys = Array.from({ length: 1_000 }, (_, index) => `order:${index}`);
        const versions = keys.map((_, index) => streamVersion(index < 234 ? index + 1_001 : index + 1));
        expect(await cache.versions(keys)).toEqual(versions);
        expect((await entriesOf(...keys)).map((entry) => entry?.version)).toEqual(versions);
        expect(await allKeys()).toEqual([...keys].sort());
        expect(await cache.put([])).toEqual([]);
      });

      it('lets the newest version win, whoever of several writers comes first', async () => {
        const writers = [cache, await again(), await again()];
        const batches = writers.map((writer, offset) => async () => {
          for (let step = 0; step < 100; step += 1) await writer.put([update('portfolio:main', step * 3 + offset + 1)]);
        });
        await Promise.all(batches.map((batch) => batch()));
        expect(await entriesOf('portfolio:main')).toEqual([{ version: streamVersion(300), value: '{"v":300}' }]);
      });

      it(proves('CCH-3', 'shows an update to every reader as soon as it is acknowledged'), async () => {
        const reader = await again();
        for (let version = 1; version <= 50; version += 1) {
          await cache.put([update('portfolio:main', version)]);
          expect((await reader.get(['portfolio:main'])).entries[0]?.version).toBe(streamVersion(version));
        }
      });

      it('tells subscribers of every change, in order, and of nothing that changed nothing', async () => {
        const changes: CacheUpdate[] = [];
        const reader = await again();
        const end = await reader.subscribe({ changed: (change) => changes.push(change), resync: () => undefined });
        await cache.put([update('a', 1), update('b', 1, '"x\\ny"')]);
        await cache.put([update('a', 1), update('a', 2, null)]);
        await until(() => changes.length >= 3);
        await end();
        await cache.put([update('a', 3)]);
        await reader.get([]);
        expect(changes).toEqual([update('a', 1), update('b', 1, '"x\\ny"'), update('a', 2, null)]);
      });

      it('builds the next generation beside the present one, then moves the pointer', async () => {
        const resyncs: string[] = [];
        const reader = await again();
        await reader.subscribe({ changed: () => undefined, resync: () => resyncs.push('resync') });
        await cache.put([update('corrupt', 7, '"wrong"'), update('gone', 1), update('live', 1)]);
        resyncs.length = 0;

        await cache.begin(NEXT);
        await cache.put([update('live', 5)]);
        expect(await cache.fill(NEXT, [update('corrupt', 7, '"right"'), update('live', 3)])).toEqual([true, false]);
        expect(await entriesOf('corrupt', 'live')).toMatchObject([{ value: '"wrong"' }, { value: '{"v":5}' }]);
        expect(await cache.versions(['corrupt', 'live', 'gone'], NEXT)).toEqual([
          streamVersion(7),
          streamVersion(5),
          null,
        ]);

        expect(await cache.flip(NEXT)).toBe(GENERATION);
        expect(await cache.get(['corrupt', 'live', 'gone'])).toMatchObject({
          generation: NEXT,
          isWhole: true,
          entries: [{ value: '"right"' }, { value: '{"v":5}' }, null],
        });
        await until(() => resyncs.length > 0);
        expect(await cache.drop(GENERATION)).toBe(3);
        expect(await cache.versions(['corrupt'], GENERATION)).toEqual([null]);
        expect(await allKeys()).toEqual(['corrupt', 'live']);
        await cache.put([update('live', 6)]);
        expect(await entriesOf('live')).toMatchObject([{ value: '{"v":6}' }]);
      });

      it('lets one rebuild run at a time, and gives one up that was cut off', async () => {
        await expect(cache.begin('0999')).rejects.toThrow(GenerationConflict);
        await cache.begin(NEXT);
        await cache.begin(NEXT);
        await expect(cache.begin('3000')).rejects.toThrow(GenerationConflict);
        await expect(cache.drop(NEXT)).rejects.toThrow(GenerationConflict);
        await expect(cache.drop(GENERATION)).rejects.toThrow(GenerationConflict);
        await cache.fill(NEXT, [update('a', 1)]);
        await cache.abandon(NEXT);
        await expect(cache.fill(NEXT, [update('a', 2)])).rejects.toThrow(GenerationConflict);
        await expect(cache.flip(NEXT)).rejects.toThrow(GenerationConflict);
        expect(await cache.drop(NEXT)).toBe(1);
        await cache.begin('3000');
        expect(await cache.flip('3000')).toBe(GENERATION);
      });
    });
  });
}
