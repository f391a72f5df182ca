import { ConfigError } from '@moon/infra';
import { readClusterOptions } from './options';

describe('settings of a process of the deployment', () => {
  const read = (...set: string[]) => readClusterOptions('recorder', ['--set', ...set], {});

  it('refuses a database of a Redis Cluster, which has but one', () => {
    const settings = ['redis.mode=cluster', 'redis.database=3'];
    expect(() => read(...settings)).toThrow(ConfigError);
    expect(() => read(...settings)).toThrow(
      '"redis.database" is 3: a Redis Cluster ("redis.mode" cluster) has only database 0.',
    );
    expect(read('redis.mode=cluster').redis).toMatchObject({ mode: 'cluster', database: 0 });
    expect(read('redis.database=3').redis).toMatchObject({ mode: 'single', database: 3 });
  });
});
