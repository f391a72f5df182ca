import { COMPONENTS, HealthRegistry } from '@moon/infra';
import { NOT_SEEN, noteCache, type CacheSeen } from './cache-seen';

describe('health of the cache', () => {
  const ready = async (): Promise<HealthRegistry> => {
    const health = new HealthRegistry();
    for (const name of COMPONENTS)
      await health.start(
        name,
        () => Promise.resolve(),
        () => 'as it started',
      );
    health.ready();
    return health;
  };
  const parts = (...seen: (CacheSeen | null)[]) => seen.map((one) => ({ cache: () => one }));

  it('[SYS-2] is what a part saw of it last, with the reason, and takes no readiness away', async () => {
    const health = await ready();
    noteCache(health, [{}, ...parts(NOT_SEEN)]);
    expect(health.report().components.cache).toMatchObject({ status: 'degraded', detail: 'has not answered yet' });
    noteCache(health, parts({ isUp: true, detail: 'it answers' }, { isUp: false, detail: 'wrong password' }));
    expect(health.report().components.cache).toMatchObject({ status: 'degraded', detail: 'wrong password' });
    expect(health.state).toBe('READY');
    noteCache(health, parts({ isUp: true, detail: 'it answers' }));
    expect(health.report().components.cache).toMatchObject({ status: 'up', detail: 'it answers' });
  });

  it('changes only when that does, and stays with nobody who asks', async () => {
    let time = 0;
    const health = new HealthRegistry(() => new Date((time += 1_000)));
    noteCache(health, [{}, ...parts(null)]);
    expect(health.report().components.cache).toMatchObject({ status: 'waiting' });
    noteCache(health, parts({ isUp: false, detail: 'away' }));
    const { since } = health.report().components.cache!;
    noteCache(health, parts({ isUp: false, detail: 'away' }));
    expect(health.report().components.cache).toMatchObject({ status: 'degraded', since });
  });
});
