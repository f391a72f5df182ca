import { BullModule } from '@nestjs/bull';
import { Module, type DynamicModule } from '@nestjs/common';
import type { QueueOptions } from 'bull';
import type { JobLedger } from '@moon/kernel';
import { createRedis } from '../redis/client';
import type { RedisConfig } from '../redis/config';
import { QUEUES } from './job-id';
import { JobQueues } from './job-queues';

export interface QueuesOptions {
  redis: RedisConfig;
  ledger: JobLedger;
  /** Wall time (ms) that a worker's claim on a job lasts without renewal; Bull renews it at half of that. Default 30 s. */
  lockMs?: number;
  /** How often (ms) Bull looks for jobs whose worker has gone. Default 30 s. */
  stalledEveryMs?: number;
  /** How often (ms) the queues are compared with the ledger. Default 15 s. */
  compareEveryMs?: number;
  /** Told of what goes wrong in between: Redis away, a job that failed an attempt. */
  onError?: (error: Error) => void;
}

/** A job whose worker has gone is started again, as often as need be: its effect happens once all the same. */
const STALLED_AT_MOST = 1_000;

/** Queues for long jobs on Bull. Wherever it is imported `JobQueues` can be injected; it is global. */
@Module({})
export class QueuesModule {
  static forRoot(options: QueuesOptions): DynamicModule {
    const bull = BullModule.forRoot(bullOptions(options));
    const queues = BullModule.registerQueue(...QUEUES.map((name) => ({ name })));
    return {
      module: QueuesModule,
      global: true,
      imports: [bull, queues],
      providers: [{ provide: QUEUE_OPTIONS, useValue: options }, JobQueues.provider(QUEUE_OPTIONS)],
      exports: [JobQueues],
    };
  }
}

const QUEUE_OPTIONS = Symbol('QUEUE_OPTIONS');

function bullOptions({ redis, lockMs = 30_000, stalledEveryMs = 30_000, onError }: QueuesOptions): QueueOptions {
  // In braces: the keys of all queues are of one slot of a cluster.
  const prefix = `{moon-${redis.environment}-jobs}`;
  return {
    prefix,
    createClient: (type) =>
      createRedis(redis, { use: 'queue', name: `moon-jobs-${type}`, key: prefix, ...(onError && { onError }) }),
    settings: { lockDuration: lockMs, stalledInterval: stalledEveryMs, maxStalledCount: STALLED_AT_MOST },
    defaultJobOptions: {
      attempts: 3,
      backoff: { type: 'exponential', delay: 1_000 },
      // What was done stands in the ledger; the queue forgets it.
      removeOnComplete: true,
      removeOnFail: true,
    },
  };
}
