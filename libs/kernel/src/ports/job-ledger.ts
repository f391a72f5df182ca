import type { JsonObject } from '@moon/events';

/** `done` is final; a job that is `failed` or `cancelled` waits again once it is asked for again. */
export type JobStatus = 'waiting' | 'done' | 'failed' | 'cancelled';

export interface JobRecord {
  /** Made of the queue and the payload: the same wish twice is one job. */
  jobId: string;
  queue: string;
  payload: JsonObject;
  status: JobStatus;
  /** What the effect said; null before it has happened. */
  result: JsonObject | null;
  /** Why it failed, or who cancelled it. */
  reason: string | null;
  /** Epoch ms. */
  acceptedAt: number;
  endedAt: number | null;
}

/**
 * The record of long jobs. A queue in Redis only says who works on what; what is wanted and what has been done stands here, so
 * that a queue that was lost is filled again and each effect happens once.
 */
export interface JobLedger {
  /** Notes that a job is wanted, also one that failed or was cancelled. Returns what is known of it, which may be that it is done. */
  accept(job: Pick<JobRecord, 'jobId' | 'queue' | 'payload'>): Promise<JobRecord>;
  find(jobId: string): Promise<JobRecord | null>;
  /** Jobs of a queue that are wanted and have not ended, oldest first. */
  waiting(queue: string): Promise<JobRecord[]>;
  /**
   * Brings about the effect of a job, once: while one caller is at it, others wait, and then find it done. `effect` must itself
   * be repeatable under the job's id, for its process may die between the effect and its record.
   *
   * @returns the job as it stands then; `isOwn` when this very call brought it about
   * @throws what `effect` throws; the job goes on waiting
   */
  once(jobId: string, effect: () => Promise<JsonObject>): Promise<{ job: JobRecord; isOwn: boolean }>;
  /** The job will not be tried again unless it is asked for again. What has ended stays as it is; returns the job as it stands. */
  end(jobId: string, status: 'failed' | 'cancelled', reason: string): Promise<JobRecord>;
}

export class UnknownJob extends Error {
  override readonly name = 'UnknownJob';
  constructor(readonly jobId: string) {
    super(`There is no job ${jobId}.`);
  }
}
