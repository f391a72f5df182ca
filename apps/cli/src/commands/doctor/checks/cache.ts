import type { ClusterConfig } from '@moon/cluster';
import { RedisProjectionCache } from '@moon/infra';
import { messageOf, note, ok, wrong, type Finding } from '../finding';

/** Whether Redis lets the platform in, keeps what it is given and takes writes, and whether it holds projections. */
export async function checkCache({ cache, redis }: Pick<ClusterConfig, 'cache' | 'redis'>): Promise<Finding> {
  if (cache === 'none')
    return ok('cache', 'None is configured: nobody can read projections, and nothing waits for it.');
  let client: RedisProjectionCache | null = null;
  try {
    client = await RedisProjectionCache.connect(redis);
    const { generation, isWhole } = await client.probe();
    const text = `Redis (${redis.mode}) at ${redis.nodes.join(', ')} answers and takes writes.`;
    if (generation !== null && isWhole) return ok('cache', text);
    const what = generation === null ? 'It holds no projections yet' : 'It does not hold all projections yet';
    return note('cache', `${text} ${what}.`, 'Start the recorder, or see its log: it fills the cache from the log.');
  } catch (error) {
    return wrong(
      'cache',
      messageOf(error),
      'Mend what is named: until then nothing is opened, reduce-only orders pass.',
    );
  } finally {
    await client?.close();
  }
}
