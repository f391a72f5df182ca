import { loadConfig } from '@moon/infra';
import { clusterConfigSchema } from '../config';
import type { PartContext } from '../process';
import { WatchPart } from './watch-part';

describe('who watches brokers and store', () => {
  it('[SYS-7] [API-4] is not up while they do not answer, says who and why, and says each cause once', async () => {
    const set = {
      'kafka.brokers': ['127.0.0.1:1'],
      'kafka.connectionTimeoutMs': 200,
      'postgres.hosts': ['127.0.0.1:1'],
    };
    const config = loadConfig(clusterConfigSchema, { env: {}, set });
    const told: string[] = [];
    const logger = { warn: (_context: object, line: string) => told.push(line) };
    const log = { shards: () => Promise.reject(new Error('connect ECONNREFUSED 127.0.0.1:1')) };
    const part = new WatchPart({ connections: { config, logger, log } } as unknown as PartContext);
    expect([part.isUp(), part.problem()]).toEqual([false, null]);

    await part.start();
    await part['look']();
    await part.stop();

    expect(part.isUp()).toBe(false);
    expect(part.problem()).toMatch(/no answer of the brokers: .*127\.0\.0\.1:1/);
    expect(part.problem()).toMatch(/no answer of the event store: connect ECONNREFUSED 127\.0\.0\.1:1/);
    expect(told.sort()).toEqual(['no answer of the brokers', 'no answer of the event store']);
  });
});
