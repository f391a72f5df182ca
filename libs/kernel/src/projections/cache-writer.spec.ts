import { MemoryCacheServer, MemoryProjectionCache } from '../memory/memory-projection-cache';
import { streamVersion, type CacheUpdate } from '../ports/projection-cache';
import { ManualClock } from '../testing/manual-clock';
import { CacheReader } from './cache-reader';
import { CacheWriter, type CacheState } from './cache-writer';

const update = (key: string, version: number): CacheUpdate => ({
  key,
  version: streamVersion(version),
  value: `{"v":${version}}`,
});

/** A cache whose server can be away. */
class AwayCache extends MemoryProjectionCache {
  isAway = false;
  /** Why it takes no writes although it can be read. */
  refusal: string | null = null;
  /** Updates of each call that was answered. */
  readonly batches: string[][] = [];

  override put(updates: readonly CacheUpdate[]): Promise<boolean[]> {
    if (this.isAway) return Promise.reject(new Error('away'));
    if (this.refusal !== null) return Promise.reject(new Error(this.refusal));
    this.batches.push(updates.map(({ key, version }) => `${key}@${Number(version)}`));
    return super.put(updates);
  }
  override identity(): ReturnType<MemoryProjectionCache['identity']> {
    return this.isAway ? Promise.reject(new Error('away')) : super.identity();
  }
  override probe(): ReturnType<MemoryProjectionCache['identity']> {
    return this.refusal === null ? super.probe() : Promise.reject(new Error(this.refusal));
  }
  override get(keys: readonly string[]): ReturnType<MemoryProjectionCache['get']> {
    return this.isAway ? Promise.reject(new Error('away')) : super.get(keys);
  }
}

describe('CacheWriter', () => {
  const clock = new ManualClock(1_000_000_000_000);
  let server: MemoryCacheServer;
  let cache: AwayCache;
  let held: Map<string, CacheUpdate>;
  let states: string[];
  let writer: CacheWriter;

  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  };
  const beat = async (): Promise<void> => {
    clock.advance(500);
    await turns();
  };
  const write = (...updates: CacheUpdate[]): void => {
    for (const one of updates) held.set(one.key, one);
    writer.write(updates);
  };
  const begin = async (maxPending?: number): Promise<void> => {
    writer = new CacheWriter({
      ...{ cache, clock, entries: () => held.values() },
      ...(maxPending !== undefined && { maxPending }),
      onState: (state: CacheState, detail) => states.push(`${state}: ${detail}`),
    });
    writer.start();
    await turns();
  };

  beforeEach(() => {
    server = new MemoryCacheServer();
    cache = new AwayCache(server);
    held = new Map();
    states = [];
  });
  afterEach(() => writer.stop());

  it('opens a generation when there is none, brings in what is held, and then writes at once', async () => {
    held.set('a', update('a', 3));
    await begin();
    expect(states).toEqual(['catching-up: the cache is empty', 'up: 1 keys were behind']);
    expect(await cache.get(['a'])).toMatchObject({ isWhole: true, entries: [update('a', 3)].map(entryOf) });
    write(update('a', 4), update('b', 1));
    await writer.idle();
    expect((await cache.get(['a', 'b'])).entries).toEqual([update('a', 4), update('b', 1)].map(entryOf));
  });

  it('keeps the newest of each key while the cache is away, and replays in the order of these', async () => {
    await begin();
    cache.isAway = true;
    write(update('a', 1));
    await turns();
    write(update('b', 1), update('c', 1), update('b', 2), update('a', 2), update('b', 1));
    await beat();
    await beat();
    expect([writer.state, writer.backlog]).toEqual(['down', 3]);
    cache.isAway = false;
    cache.batches.length = 0;
    await beat();
    expect(cache.batches).toEqual([['c@1', 'b@2', 'a@2']]);
    expect(states.slice(2)).toEqual(['down: away', 'catching-up: the cache is back', 'up: 0 keys were behind']);
  });

  it('[CCH-4] says why it cannot write from the first attempt on, and each reason once until it can', async () => {
    cache.refusal = 'wrong password';
    await begin();
    expect([writer.state, writer.detail]).toEqual(['down', 'wrong password']);
    await beat();
    for (const reason of ['no replicas', 'wrong password', 'no replicas']) {
      cache.refusal = reason;
      await beat();
      expect(writer.detail).toBe(reason);
    }
    expect(states).toEqual(['down: wrong password', 'down: no replicas']);
    cache.refusal = null;
    await beat();
    cache.refusal = 'no replicas';
    await beat();
    expect(states.slice(2)).toEqual(['catching-up: the cache is empty', 'up: 0 keys were behind', 'down: no replicas']);
  });

  it('[CCH-4] is down with a cache that is only read, also when it has nothing to write', async () => {
    await begin();
    expect(writer.state).toBe('up');
    cache.refusal = 'no replicas';
    await beat();
    expect([writer.state, writer.backlog]).toEqual(['down', 0]);
    expect(await cache.identity()).toMatchObject({ isWhole: true });
  });

  it('holds its bound: what does not fit is found by comparison afterwards', async () => {
    await begin(10);
    cache.isAway = true;
    for (let key = 0; key < 100; key += 1) {
      write(update(`k${key}`, 1));
      expect(writer.backlog).toBeLessThanOrEqual(10);
    }
    await turns();
    cache.isAway = false;
    await beat();
    expect(writer.state).toBe('up');
    expect((await cache.get([...held.keys()])).entries).toEqual([...held.values()].map(entryOf));
  });

  it('writes again what another server does not have although it was acknowledged', async () => {
    await begin();
    write(update('a', 1), update('b', 1));
    await writer.idle();
    write(update('a', 2), update('b', 2));
    await writer.idle();
    server.of(server.current!).set('a', { version: streamVersion(1), value: '{"v":1}' });
    server.of(server.current!).delete('b');
    server.name = 'the replica';
    await beat();
    expect(states.slice(2)).toEqual([
      'catching-up: another server answers, or it was restarted',
      'up: 2 keys were behind',
    ]);
    expect((await cache.get(['a', 'b'])).entries).toEqual([update('a', 2), update('b', 2)].map(entryOf));
  });

  it('fills an emptied cache under a new name; readers hear that it is not whole', async () => {
    await begin();
    write(update('a', 1));
    await writer.idle();
    const before = server.current!;
    server.current = null;
    server.isWhole = false;
    server.generations.clear();
    const reader = new CacheReader({
      ...{ cache, clock },
      fallback: () => Promise.resolve({ entries: [entryOf(update('a', 1))], asOf: clock.now() - 250 }),
    });
    expect(await reader.get(['a'])).toEqual({ entries: [entryOf(update('a', 1))], isStale: true, ageMs: 250 });
    await beat();
    expect(server.current! > before).toBe(true);
    expect(await reader.get(['a'])).toEqual({ entries: [entryOf(update('a', 1))], isStale: false, ageMs: null });
  });

  it('leaves a cache alone for a while that did not answer a reader', async () => {
    await begin();
    cache.isAway = true;
    const problems: string[] = [];
    const reader = new CacheReader({
      ...{ cache, clock, restMs: 500 },
      fallback: (keys) => Promise.resolve({ entries: keys.map(() => null), asOf: 0 }),
      onUnavailable: ({ message }) => problems.push(message),
    });
    expect(await reader.get(['a'])).toEqual({ entries: [null], isStale: true, ageMs: clock.now() });
    cache.isAway = false;
    expect((await reader.get(['a'])).isStale).toBe(true);
    clock.advance(500);
    expect((await reader.get(['a'])).isStale).toBe(false);
    expect(problems).toEqual(['away']);
  });
});

const entryOf = ({ version, value }: CacheUpdate) => ({ version, value });
