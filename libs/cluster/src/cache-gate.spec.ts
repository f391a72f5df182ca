import type { Logger } from '@moon/infra';
import { MemoryProjectionCache } from '@moon/kernel';
import { CacheGate } from './cache-gate';

/** A cache that can be read whatever is wrong with it. */
class RefusingCache extends MemoryProjectionCache {
  refusal: string | null = null;
  override probe(): ReturnType<MemoryProjectionCache['probe']> {
    return this.refusal === null ? super.probe() : Promise.reject(new Error(this.refusal));
  }
}

describe('CacheGate', () => {
  let cache: RefusingCache;
  let gate: CacheGate;
  const told: string[] = [];
  const warn = ({ detail }: { detail: string }, message: string): void => void told.push(`${message}: ${detail}`);

  beforeEach(() => {
    jest.useFakeTimers();
    told.length = 0;
    cache = new RefusingCache();
    gate = new CacheGate(cache, { warn } as unknown as Logger, undefined);
  });
  afterEach(async () => {
    await gate.close();
    jest.useRealTimers();
  });

  it('[CCH-4] closes for a cache that can be read and takes no writes, and opens when it takes them again', async () => {
    await jest.advanceTimersByTimeAsync(1_000);
    expect(gate.seen).toEqual({ isUp: true, detail: 'it answers and takes writes' });
    cache.refusal = 'too few replicas';
    await jest.advanceTimersByTimeAsync(2_500);
    expect(await cache.identity()).toBeDefined();
    expect(gate.seen).toEqual({ isUp: false, detail: 'too few replicas' });
    cache.refusal = null;
    await jest.advanceTimersByTimeAsync(5_000);
    expect(gate.seen).toMatchObject({ isUp: true });
  });

  it('[CCH-4] says why it is closed, a reason that comes later too, each once', async () => {
    expect(gate.seen).toBeNull();
    cache.refusal = 'nobody listens';
    await jest.advanceTimersByTimeAsync(3_000);
    for (const refusal of ['wrong password', 'nobody listens', 'wrong password']) {
      cache.refusal = refusal;
      await jest.advanceTimersByTimeAsync(1_000);
      expect(gate.seen).toEqual({ isUp: false, detail: refusal });
    }
    expect(told).toEqual([
      'the cache is down: nothing is opened until it is back: nobody listens',
      'the cache is still down: wrong password',
    ]);
  });
});
