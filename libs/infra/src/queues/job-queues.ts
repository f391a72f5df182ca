import { getQueueToken } from '@nestjs/bull';
import type { BeforeApplicationShutdown, OnModuleInit, Provider } from '@nestjs/common';
import type { Job, Queue } from 'bull';
import type { JsonObject } from '@moon/events';
import { UnknownJob, type JobLedger, type JobRecord } from '@moon/kernel';
import { jobIdOf, QUEUES, type QueueName } from './job-id';

/** What a processor is given of a job. */
export interface RunningJob {
  jobId: string;
  payload: JsonObject;
  /** Fires when the job is cancelled or the process stops. */
  signal: AbortSignal;
  /** Share that is done, 0…1; may be called as often as one likes. */
  progress(share: number): void;
}

export interface JobProcessor {
  /** The long part, which may be done again after a crash and has no effect outside. @throws JobRefused when no attempt can succeed */
  work(job: RunningJob): Promise<JobOutcome>;
}

export interface JobOutcome {
  /** The effect, once for the job whatever happens; it must be repeatable under the job's id. */
  effect: () => Promise<JsonObject>;
}

/** A job that no further attempt can bring to its end, e.g. one that is asked for wrongly. */
export class JobRefused extends Error {
  override readonly name = 'JobRefused';
}

/** A job with how far it is. */
export interface JobView extends JobRecord {
  /** Share that is done, 0…1; null when nobody works on it, or the queue does not answer. */
  progress: number | null;
}

export interface JobQueuesOptions {
  ledger: JobLedger;
  compareEveryMs?: number;
  onError?: (error: Error) => void;
}

const COMPARE_EVERY_MS = 15_000;
/** Progress is written, and a cancellation looked for, at most so often (ms). */
const TOLD_EVERY_MS = 500;
/** The queue's answer on a job's progress is waited for so long (ms): while Redis is away commands wait. */
const PROGRESS_PATIENCE_MS = 500;

/**
 * Long jobs: adds them once, runs them, tells how far they are, ends them. The ledger in PostgreSQL is the record; what Redis
 * has lost is added again from it.
 */
export class JobQueues implements OnModuleInit, BeforeApplicationShutdown {
  private readonly running = new Map<string, AbortController>();
  private timer: NodeJS.Timeout | null = null;
  private isStopped = false;

  constructor(
    private readonly options: JobQueuesOptions,
    private readonly queues: ReadonlyMap<QueueName, Queue<JsonObject>>,
  ) {}

  static provider(options: symbol): Provider {
    return {
      provide: JobQueues,
      inject: [options, ...QUEUES.map((name) => getQueueToken(name))],
      useFactory: (given: JobQueuesOptions, ...queues: Queue<JsonObject>[]) =>
        new JobQueues(given, new Map(QUEUES.map((name, index) => [name, queues[index]!]))),
    };
  }

  onModuleInit(): void {
    const { onError, compareEveryMs = COMPARE_EVERY_MS } = this.options;
    for (const queue of this.queues.values()) queue.on('error', (error: Error) => onError?.(error));
    this.timer = setInterval(() => void this.restore().catch((error: Error) => onError?.(error)), compareEveryMs);
    this.timer.unref();
    void this.restore().catch((error: Error) => onError?.(error));
  }

  /** Before the queues close: they wait for what is under way. */
  beforeApplicationShutdown(): void {
    this.isStopped = true;
    if (this.timer) clearInterval(this.timer);
    for (const controller of this.running.values()) controller.abort();
  }

  /**
   * Asks for a job; the same content again is the same job, and tried again if it failed or was cancelled. Stored before it is
   * queued, so it is not lost with Redis.
   */
  async add(queue: QueueName, payload: JsonObject): Promise<JobRecord> {
    const job = await this.options.ledger.accept({ jobId: jobIdOf(queue, payload), queue, payload });
    // Waits for nobody: while Redis is away the job waits in the ledger, and in the client.
    if (job.status === 'waiting') void this.enqueue(job).catch((error: Error) => this.options.onError?.(error));
    return job;
  }

  /** @throws UnknownJob */
  async find(jobId: string): Promise<JobView> {
    const job = await this.options.ledger.find(jobId);
    if (job === null) throw new UnknownJob(jobId);
    if (job.status !== 'waiting') return { ...job, progress: null };
    const queued = this.queueOf(job).getJob(jobId);
    queued.catch((error: Error) => this.options.onError?.(error));
    const nothing = new Promise<null>((resolve) => setTimeout(() => resolve(null), PROGRESS_PATIENCE_MS).unref());
    const found = await Promise.race([queued, nothing]);
    return { ...job, progress: found === null ? null : (found.progress() as number) };
  }

  /** Ends a job wherever it stands, unless it is done already; who works on it hears of it within a second. */
  async cancel(jobId: string, reason: string): Promise<JobRecord> {
    const job = await this.options.ledger.end(jobId, 'cancelled', reason);
    if (job.status === 'cancelled') this.running.get(jobId)?.abort();
    return job;
  }

  /** Begins to work on a queue, `atOnce` jobs at a time in this process. */
  process(queue: QueueName, processor: JobProcessor, atOnce = 1): void {
    const { onError } = this.options;
    void this.queues
      .get(queue)!
      .process(atOnce, (job) => this.run(job, processor))
      .catch((error: Error) => onError?.(error));
  }

  /** Adds what the ledger waits for and a queue does not have. Returns how many jobs that were. */
  async restore(): Promise<number> {
    let added = 0;
    for (const [name, queue] of this.queues) {
      if (this.isStopped) break;
      for (const job of await this.options.ledger.waiting(name)) {
        if ((await queue.getJob(job.jobId)) !== null || this.running.has(job.jobId)) continue;
        await this.enqueue(job);
        added += 1;
      }
    }
    return added;
  }

  private async enqueue({ jobId, queue, payload }: JobRecord): Promise<void> {
    await this.queues.get(queue as QueueName)!.add(payload, { jobId });
  }

  private queueOf({ queue }: JobRecord): Queue<JsonObject> {
    return this.queues.get(queue as QueueName)!;
  }

  /**
   * One attempt. A second one of the same job in this process, after its claim was lost, leaves it to the first. What resolves
   * leaves the queue: while the ledger waits for the job, `restore` of this or another process adds it again.
   */
  private async run(job: Job<JsonObject>, processor: JobProcessor): Promise<JsonObject> {
    const jobId = String(job.id);
    const { ledger } = this.options;
    const known = await ledger.find(jobId);
    if (known === null) throw new UnknownJob(jobId);
    if (known.status !== 'waiting' || this.isStopped) return { status: known.status };
    if (this.running.has(jobId)) return { status: 'running' };
    const controller = new AbortController();
    this.running.set(jobId, controller);
    const watch = new JobWatch(job, ledger, controller, this.options.onError);
    try {
      const { payload } = known;
      const { effect } = await processor.work({
        ...{ jobId, payload, signal: controller.signal },
        progress: (share) => watch.progress(share),
      });
      const done = await ledger.once(jobId, effect);
      return { status: done.job.status };
    } catch (error) {
      // It was ended from here, by a stop or a cancellation: no attempt has failed.
      if (controller.signal.aborted) return { status: 'ended' };
      return await this.failed(job, error as Error);
    } finally {
      watch.stop();
      this.running.delete(jobId);
    }
  }

  private async failed(job: Job<JsonObject>, error: Error): Promise<JsonObject> {
    const { ledger, onError } = this.options;
    const known = await ledger.find(String(job.id));
    if (known?.status === 'cancelled') return { status: 'cancelled' };
    onError?.(error);
    const isLast = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    if (!isLast && !(error instanceof JobRefused)) throw error;
    return { status: (await ledger.end(String(job.id), 'failed', error.message)).status };
  }
}

/** Writes how far a job is, and looks whether somebody has cancelled it in another process. */
class JobWatch {
  private share = 0;
  private told = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly job: Job,
    private readonly ledger: JobLedger,
    private readonly controller: AbortController,
    onError: ((error: Error) => void) | undefined,
  ) {
    this.timer = setInterval(() => void this.look().catch((error: Error) => onError?.(error)), TOLD_EVERY_MS);
  }

  progress(share: number): void {
    this.share = share;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    const known = await this.ledger.find(String(this.job.id));
    if (known?.status === 'cancelled') this.controller.abort();
    if (this.share === this.told) return;
    this.told = this.share;
    await this.job.progress(this.share);
  }
}
