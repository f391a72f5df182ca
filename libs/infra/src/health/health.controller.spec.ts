import { Test } from '@nestjs/testing';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { COMPONENTS, HealthRegistry } from './health-registry';
import { HealthModule } from './health.module';

describe('HealthController', () => {
  const registry = new HealthRegistry();
  let app: NestFastifyApplication;
  const get = async (path: string): Promise<{ code: number; body: Record<string, never> }> => {
    const { statusCode, body } = await app.inject({ method: 'GET', url: `/health/${path}` });
    return { code: statusCode, body: JSON.parse(body) as Record<string, never> };
  };

  beforeAll(async () => {
    const module = await Test.createTestingModule({ imports: [HealthModule.with(registry)] }).compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    await app.init();
  });
  afterAll(() => app.close());

  it('[SYS-1] [API-4] answers 503 while it starts, with the state of every component', async () => {
    await registry.start(
      'broker',
      () => Promise.resolve(),
      () => 'in process',
    );
    expect((await get('live')).code).toBe(200);
    expect((await get('startup')).code).toBe(503);
    const { code, body } = await get('ready');
    expect(code).toBe(503);
    expect(body.details).toMatchObject({
      broker: { status: 'up' },
      'event-store': { status: 'down', state: 'waiting' },
    });
  });

  it('[SYS-1] [API-4] answers 200 when all components are up and market data is let in', async () => {
    for (const name of COMPONENTS.slice(1))
      await registry.start(
        name,
        () => Promise.resolve(),
        () => 'up',
      );
    expect((await get('ready')).code).toBe(503);
    registry.ready();
    expect((await get('ready')).code).toBe(200);
    expect((await get('startup')).code).toBe(200);
  });

  it('[API-4] answers 200 with what is wrong of a component that is degraded', async () => {
    registry.set('cache', 'degraded', 'wrong password');
    const { code, body } = await get('ready');
    expect(code).toBe(200);
    expect(body.details).toMatchObject({ cache: { status: 'up', state: 'degraded', detail: 'wrong password' } });
    registry.set('cache', 'up', 'it answers');
  });

  it('[API-4] takes readiness away when a component goes down, and while it stops; it lives on', async () => {
    registry.set('event-store', 'down', 'connection lost');
    const { code, body } = await get('ready');
    expect(code).toBe(503);
    expect(body.details).toMatchObject({ 'event-store': { status: 'down', detail: 'connection lost' } });
    registry.set('event-store', 'up', 'back');
    expect((await get('ready')).code).toBe(200);
    registry.stopping();
    expect((await get('ready')).code).toBe(503);
    expect((await get('live')).code).toBe(200);
  });
});
