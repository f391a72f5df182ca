import { Type, type Static } from '@sinclair/typebox';
import { venueConfigSchema } from '@moon/backtesting';
import { platformConfigSchema } from '@moon/domain';
import { kafkaSchema, redisConfigSchema } from '@moon/infra';
import { SHARD_COUNTS } from '@moon/kernel';

const whole = { additionalProperties: false, default: {} } as const;

const postgresSchema = Type.Object(
  {
    hosts: Type.Array(Type.String({ pattern: '^[^:\\s]+:\\d{1,5}$' }), {
      default: ['127.0.0.1:5432'],
      minItems: 1,
      description: 'Servers of the event store, as host:port; whichever is primary is used.',
    }),
    patroni: Type.Array(Type.String({ pattern: '^https?://' }), {
      default: [],
      description: 'REST API of each Patroni, in the order of the hosts: who is asked which server is primary.',
    }),
    database: Type.String({ default: 'moon', pattern: '^[a-z][a-z0-9_]{0,62}$', description: 'Its database.' }),
    superuser: Type.String({ default: 'postgres', minLength: 1, description: 'Makes the roles and the database.' }),
    password: Type.String({
      default: '',
      description:
        'Password of the superuser, for "moon store prepare" and a machine of one’s own; passwords of roles that are not given are derived from it.',
    }),
    ownerPassword: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Password of moon_owner, for "moon store prepare"; no process needs it.',
      }),
    ),
    appPassword: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Password of moon_app, the role of the processes. Without the superuser’s they have this role alone.',
      }),
    ),
  },
  whole,
);

const feedSchema = Type.Object(
  {
    kind: Type.Union([Type.Literal('auto'), Type.Literal('hyperliquid'), Type.Literal('synthetic')], {
      default: 'auto',
      description: 'auto = HyperLiquid when it can be reached, else synthetic.',
    }),
    tokens: Type.Array(Type.String({ minLength: 1, maxLength: 20 }), {
      default: ['BTC', 'ETH', 'SOL'],
      minItems: 1,
      description: 'Tokens of the feed.',
    }),
    seed: Type.Integer({ default: 1, minimum: 0, maximum: 4_294_967_295, description: 'Synthetic: its market.' }),
  },
  whole,
);

/** Every process of a deployment reads this; each uses its part. */
export const clusterConfigSchema = Type.Object(
  {
    instance: Type.String({
      default: '',
      maxLength: 60,
      description: 'Name of this process among its like; default: made of its host and process id.',
    }),
    host: Type.String({ default: '127.0.0.1', minLength: 1, description: 'Address that health is served on.' }),
    port: Type.Integer({ default: 0, minimum: 0, maximum: 65_535, description: 'Its port; 0 = any free one.' }),
    logLevel: Type.Union(
      ['trace', 'debug', 'info', 'warn', 'error', 'silent'].map((level) => Type.Literal(level as 'info')),
      { default: 'warn', description: 'Least level that is logged (JSON lines on standard error).' },
    ),
    only: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description: 'Groups that this process hosts; default: all of its application.',
    }),
    dataDir: Type.String({ default: '.moon/cluster', minLength: 1, description: 'Folder of spools.' }),
    kafka: kafkaSchema,
    postgres: postgresSchema,
    cache: Type.Union([Type.Literal('redis'), Type.Literal('none')], {
      default: 'redis',
      description: 'Where readers find projections. Without a cache nothing waits for it, and nobody can read.',
    }),
    redis: redisConfigSchema,
    shards: Type.Union(
      SHARD_COUNTS.map((count) => Type.Literal(count)),
      {
        default: 3,
        description:
          'Parts of every consumer group: the most processes that can share its work. Fixed once data exist.',
      },
    ),
    clock: Type.Object(
      {
        pace: Type.Number({
          default: 1,
          exclusiveMinimum: 0,
          maximum: 600,
          description: 'Run time per wall time; other than 1 only with the synthetic feed.',
        }),
        origin: Type.Integer({
          default: 0,
          minimum: 0,
          description:
            'Wall time, ms, at which run time was wall time; the same for all processes. Needed when pace is not 1.',
        }),
      },
      whole,
    ),
    feed: feedSchema,
    venue: Type.Object(
      {
        address: Type.String({
          default: '127.0.0.1:4010',
          pattern: '^[^:\\s]+:\\d{1,5}$',
          description: 'Host and port of the paper venue’s process.',
        }),
        orderTimeToLiveMs: Type.Integer({
          default: 15_000,
          minimum: 1_000,
          maximum: 600_000,
          description: 'Life of signed orders, wall ms.',
        }),
        paper: { ...venueConfigSchema, default: {} },
      },
      whole,
    ),
    model: Type.Object(
      {
        minMs: Type.Integer({ default: 100, minimum: 0, maximum: 60_000, description: 'Fastest answer, run-time ms.' }),
        maxMs: Type.Integer({ default: 300, minimum: 0, maximum: 60_000, description: 'Slowest answer, run-time ms.' }),
      },
      whole,
    ),
    contracts: Type.Object(
      {
        emit: Type.Record(Type.String(), Type.Integer({ minimum: 1 }), {
          default: {},
          description:
            'Versions at which event types are emitted while older code still reads, e.g. signal.generated: 1; default: the newest.',
        }),
      },
      whole,
    ),
    checkpointMs: Type.Integer({
      default: 5_000,
      minimum: 200,
      maximum: 3_600_000,
      description: 'Wall time between checkpoints of a shard, ms: how much a new owner handles again.',
    }),
    platform: { ...platformConfigSchema, default: {} },
  },
  { additionalProperties: false },
);
export type ClusterConfig = Static<typeof clusterConfigSchema>;
