import { COMPONENTS, HealthRegistry, StartupFailure } from './health-registry';

const up = (registry: HealthRegistry, ...names: (typeof COMPONENTS)[number][]): Promise<void> =>
  names.reduce<Promise<void>>(
    (before, name) =>
      before
        .then(() =>
          registry.start(
            name,
            () => Promise.resolve(name),
            (started) => started,
          ),
        )
        .then(() => undefined),
    Promise.resolve(),
  );

describe('HealthRegistry', () => {
  it('[SYS-1] starts broker, event store, cache, agents and API in that order only, and is ready when all are up', async () => {
    const registry = new HealthRegistry();
    await expect(up(registry, 'event-store')).rejects.toThrow('broker must be up before it');
    const fresh = new HealthRegistry();
    await up(fresh, 'broker', 'event-store', 'cache', 'agents');
    expect(() => fresh.ready()).toThrow('api');
    expect(fresh.state).toBe('STARTING');
    await up(fresh, 'api');
    fresh.ready();
    expect(fresh.state).toBe('READY');
  });

  it('[SYS-2] a component that does not start fails the system and names itself and its reason', async () => {
    const registry = new HealthRegistry();
    await up(registry, 'broker');
    const failing = registry.start(
      'event-store',
      () => Promise.reject(new Error('port 5432 is taken')),
      () => 'up',
    );
    await expect(failing).rejects.toThrow(StartupFailure);
    expect(registry.state).toBe('FAILED');
    expect(registry.report().components['event-store']).toMatchObject({ status: 'down', detail: 'port 5432 is taken' });
  });

  it('[SYS-1] a component that goes down later takes readiness away', async () => {
    const registry = new HealthRegistry();
    await up(registry, ...COMPONENTS);
    registry.ready();
    registry.set('event-store', 'down', 'connection lost');
    expect(registry.state).toBe('FAILED');
    registry.set('event-store', 'up', 'back');
    expect(registry.state).toBe('READY');
  });

  it('[SYS-1] a component that is degraded holds up nobody: neither those after it nor readiness', async () => {
    const registry = new HealthRegistry();
    await up(registry, 'broker', 'event-store', 'cache');
    registry.set('cache', 'degraded', 'wrong password');
    await up(registry, 'agents', 'api');
    registry.ready();
    expect(registry.state).toBe('READY');
    expect(registry.report().components.cache).toMatchObject({ status: 'degraded', detail: 'wrong password' });
    registry.set('event-store', 'down', 'connection lost');
    expect(registry.state).toBe('FAILED');
  });
});
