import { Type, type Static } from '@sinclair/typebox';

const NODE = '^(\\[[0-9A-Fa-f:.]+\\]|[^\\s:\\[\\]]+):[0-9]{1,5}$';

/** How Redis is reached. What it holds can be made again from the log; it is no store of record. */
export const redisConfigSchema = Type.Object(
  {
    mode: Type.Union([Type.Literal('single'), Type.Literal('sentinel'), Type.Literal('cluster')], {
      default: 'single',
      description: 'One server; a primary with replicas that Sentinels watch over; or a Redis Cluster.',
    }),
    nodes: Type.Array(Type.String({ pattern: NODE }), {
      default: ['127.0.0.1:6379'],
      minItems: 1,
      description: 'HOST:PORT of the server (single), of the Sentinels (sentinel), or of some nodes (cluster).',
    }),
    primaryName: Type.String({
      default: 'moon',
      minLength: 1,
      description: 'What the Sentinels call the primary; for mode sentinel.',
    }),
    environment: Type.String({
      default: 'moon',
      pattern: '^[a-z][a-z0-9-]{0,31}$',
      description: 'Keeps installations that share a server apart: all keys and channels carry it.',
    }),
    username: Type.Optional(
      Type.String({ minLength: 1, description: 'User of the access list; default: Redis’s own.' }),
    ),
    password: Type.Optional(Type.String({ minLength: 1, description: 'Password of the data nodes.' })),
    sentinelPassword: Type.Optional(Type.String({ minLength: 1, description: 'Password of the Sentinels.' })),
    tls: Type.Boolean({ default: false, description: 'Whether connections are encrypted (TLS).' }),
    database: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 15,
      description: 'Number of the database; a cluster has only 0.',
    }),
    timeoutMs: Type.Integer({
      default: 1_000,
      minimum: 100,
      maximum: 30_000,
      description: 'Wall time (ms) without an answer after which a connection counts as dead.',
    }),
  },
  { additionalProperties: false, default: {}, description: 'Redis.' },
);
export type RedisConfig = Static<typeof redisConfigSchema>;

export interface RedisNode {
  host: string;
  port: number;
}

/** What is wrong with settings of which each alone is right. */
export function redisProblems({ mode, database }: RedisConfig): string[] {
  if (mode !== 'cluster' || database === 0) return [];
  return [`"redis.database" is ${database}: a Redis Cluster ("redis.mode" cluster) has only database 0.`];
}

/** @throws RangeError for a port that cannot be one */
export function nodesOf({ nodes }: Pick<RedisConfig, 'nodes'>): RedisNode[] {
  return nodes.map((node) => {
    const at = node.lastIndexOf(':');
    const port = Number(node.slice(at + 1));
    if (port < 1 || port > 65_535) throw new RangeError(`"redis.nodes": ${node} names no port from 1 to 65535.`);
    return { host: node.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port };
  });
}
