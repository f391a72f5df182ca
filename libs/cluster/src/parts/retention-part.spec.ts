import { createLogger } from '@moon/infra';
import { freezingServer, type FreezingServer } from '../../../infra/src/testing/freezing-server';
import { startTestServer, type TestServer } from '../../../infra/src/testing/postgres';
import type { PartContext } from '../process';
import { retentionPart } from './retention-part';

describe('the part that drops what has expired', () => {
  let test: TestServer;
  let frozen: FreezingServer;
  beforeAll(async () => {
    test = await startTestServer();
  }, 60_000);
  afterEach(() => frozen.close());
  afterAll(() => test.stop());

  it('stops in time, also while a server that froze owes it an answer', async () => {
    const database = await test.clusterDatabase();
    frozen = await freezingServer(test.access.app, 'digest_expired_events');
    const { host, port } = frozen;
    const connections = {
      access: { app: { ...test.access.app, host, port } },
      config: { postgres: { database } },
      logger: createLogger({ level: 'silent' }),
    };
    const part = retentionPart({ connections } as unknown as PartContext);
    await part.start();
    while (!frozen.isFrozen()) await new Promise((resolve) => setTimeout(resolve, 20));
    const started = performance.now();
    await part.stop();
    expect(performance.now() - started).toBeLessThan(6_000);
    expect(part.status()).toMatchObject({ failures: 0 });
  }, 30_000);
});
