import { Value } from '@sinclair/typebox/value';
import { redisConfigSchema, type RedisConfig } from '@moon/infra';
import { checkCache } from './cache';

describe('moon doctor on the cache of a deployment', () => {
  const redis = Value.Default(redisConfigSchema, { nodes: ['127.0.0.1:1'], timeoutMs: 100 }) as RedisConfig;

  it('names an address where nobody listens', async () => {
    expect(await checkCache({ cache: 'redis', redis })).toMatchObject({
      check: 'cache',
      status: 'wrong',
      detail: 'Nobody listens at 127.0.0.1:1: start Redis, or check "redis.nodes".',
    });
  });

  it('asks nobody where none is configured', async () => {
    expect(await checkCache({ cache: 'none', redis })).toMatchObject({ status: 'ok' });
  });
});
