import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Value } from '@sinclair/typebox/value';
import type { LogRow } from '@moon/kernel';
import { RedisProjectionCache, redisConfigSchema, type RedisConfig } from '@moon/infra';
import * as stack from '../../scripts/stack/api.cjs';
import { cachedText, projectedText, Projecting } from '../support/projecting';
import { tradedLog } from '../support/traded-log';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('projections behind Redis Sentinel', () => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'moon-failover-')));
  let config: RedisConfig;
  let rows: LogRow[];
  let projecting: Projecting;

  beforeAll(async () => {
    ({ rows } = await tradedLog(300));
    const { redis } = await stack.start({ dir, basePort: 0, only: ['redis'] });
    config = Value.Default(redisConfigSchema, {
      ...{ mode: 'sentinel', primaryName: redis!.name, environment: 'test' },
      nodes: redis!.sentinels.map(({ host, port }) => `${host}:${port}`),
    }) as RedisConfig;
  });
  afterAll(async () => {
    await stack.stop(dir, { clean: true });
    rmSync(dir, { recursive: true, force: true });
  });
  afterEach(() => projecting.stop());

  const primary = async (): Promise<string> => {
    for (;;) {
      const { nodes } = await stack.status(dir);
      const [name] = Object.entries(nodes).find(([, { role }]) => role === 'master' || role === 'primary') ?? [];
      if (name !== undefined && name.startsWith('redis')) return name;
      await pause(200);
    }
  };
  const begin = async (environment: string): Promise<void> => {
    projecting = new Projecting(await RedisProjectionCache.connect({ ...config, environment }));
    await projecting.until('up');
  };
  /** Half of the log, the fault, the other half bit by bit while the failover goes on. */
  const play = async (fault: (name: string) => Promise<void>): Promise<void> => {
    const half = Math.floor(rows.length / 2);
    projecting.take(rows.slice(0, half));
    await projecting.writer.idle();
    const before = await projecting.cache.identity();
    await fault(await primary());
    const size = Math.ceil(half / 100);
    for (let at = half; at < rows.length; at += size) {
      projecting.take(rows.slice(at, at + size));
      await pause(20);
    }
    for (let server = before.server; server === before.server; await pause(100)) {
      server = await projecting.cache.identity().then(
        (identity) => identity.server,
        () => before.server,
      );
    }
    await projecting.until('up');
    await projecting.writer.idle();
  };
  const expectProjection = async (): Promise<void> =>
    expect(await cachedText(projecting.cache)).toEqual(projectedText(rows));

  it('[CCH-4] [SYS-4] the primary is killed: after the failover the cache is the projection of the log', async () => {
    await begin('killed');
    await play((name) => stack.kill(name, { dir }));
    await expectProjection();
    expect(projecting.states).toContain('catching-up');
    await stack.ready(dir);
  });

  it('[CCH-4] [SYS-4] the primary freezes for a moment and wakes when it is none any more: nothing acknowledged is missing', async () => {
    await begin('frozen');
    await play(async (name) => {
      await stack.pause(name, { dir });
      setTimeout(() => void stack.resume(name, { dir }), 2_100);
    });
    await expectProjection();
    await stack.ready(dir);
  });
});
