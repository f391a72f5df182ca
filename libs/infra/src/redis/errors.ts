import type { RedisConfig } from './config';

/** Redis cannot be used as it is configured: one line that says what is wrong and what to do. */
export class RedisUnusable extends Error {
  override readonly name = 'RedisUnusable';
  constructor(
    message: string,
    /** True when waiting does not help. */
    readonly isFinal: boolean,
    override readonly cause?: unknown,
  ) {
    super(message);
  }
}

/** While a slot goes from one node to another neither has all of its keys: what was moved, or is new, is refused. */
export const isBeingMoved = ({ message }: Error): boolean =>
  /^(ASK|TRYAGAIN) |attempted to access a non local key/.test(message);

export const slotIsBeingMoved = (cause: Error): RedisUnusable =>
  new RedisUnusable('The slot of this environment is being moved to another node of the Redis Cluster.', false, cause);

/** What a client says of a command that it could not send, or that was under way as a connection broke: nothing of why. */
const IS_UNSENT = /^(Stream isn't writeable|Connection is closed|Reached the max retries per request)/;

/** Why a command failed. @param last what the client reported of its connection last, since a command was answered */
export function explainFailedCommand(config: RedisConfig, error: Error, last: Error | null): RedisUnusable {
  if (!IS_UNSENT.test(error.message)) return explainRedisError(config, error);
  if (last !== null) return explainRedisError(config, last);
  return new RedisUnusable(`Redis at ${config.nodes.join(', ')} is not connected yet, or not any more.`, false, error);
}

/** @param error what the client said; what each node of a cluster said is looked at, too */
export function explainRedisError(config: RedisConfig, error: Error): RedisUnusable {
  if (error instanceof RedisUnusable) return error;
  const { mode, nodes, primaryName, username = 'default' } = config;
  const where = nodes.join(', ');
  const text = whole(error);
  const say = (message: string, isFinal: boolean): RedisUnusable => new RedisUnusable(message, isFinal, error);
  if (/WRONGPASS|invalid password|invalid username/i.test(text))
    return say(`Redis at ${where} does not accept the password of user "${username}": check "redis.password".`, true);
  if (/NOAUTH|AUTH.*called without|without any password configured/i.test(text)) {
    const what = /NOAUTH/.test(text) ? 'asks for a password' : 'has no password, but one is configured';
    return say(`Redis at ${where} ${what}: check "redis.password".`, true);
  }
  if (/NOPERM/.test(text))
    return say(`Redis at ${where} forbids user "${username}" what the platform needs (${firstLine(text)}).`, true);
  if (/NOREPLICAS/.test(text))
    return say(
      `Redis at ${where} can be read but takes no writes: fewer replicas follow its primary than "min-replicas-to-write" asks for. Start them.`,
      false,
    );
  if (/OOM command not allowed/.test(text))
    return say(`Redis at ${where} is full and takes no writes: raise "maxmemory", or free memory.`, false);
  if (/MISCONF|READONLY/.test(text))
    return say(`Redis at ${where} can be read but takes no writes (${firstLine(text)}).`, false);
  if (/cluster support disabled/i.test(text))
    return say(`Redis at ${where} is no cluster: set "redis.mode" to "single" or name a cluster's nodes.`, true);
  if (/CLUSTERDOWN/.test(text))
    return say(
      `The Redis Cluster at ${where} takes no commands (${firstLine(text)}): see "redis-cli --cluster check".`,
      false,
    );
  if (mode === 'sentinel' && /no such master|All sentinels are unreachable/i.test(text))
    return say(
      `No Sentinel of ${where} names a primary "${primaryName}" that answers: check "redis.nodes" and "redis.primaryName".`,
      false,
    );
  if (/ENOTFOUND|EAI_AGAIN/.test(text))
    return say(`There is no machine of the name in ${where}: check "redis.nodes".`, false);
  if (/ECONNREFUSED/.test(text)) return say(`Nobody listens at ${where}: start Redis, or check "redis.nodes".`, false);
  return say(`Redis at ${where} cannot be used (${firstLine(text)}): check "redis.nodes".`, false);
}

/** Message, code, and those of the errors behind it. */
function whole(error: Error & { code?: string; errors?: Error[] }): string {
  return [error.message, error.code ?? '', ...(error.errors ?? []).map((one) => whole(one))]
    .filter((text) => text !== '')
    .join('; ');
}

const firstLine = (text: string): string => text.split('\n')[0]!.slice(0, 200);
