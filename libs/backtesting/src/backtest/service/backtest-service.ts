import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { StrategyWatch } from '../../strategies';
import { BacktestRefused } from '../config';
import type { BacktestJob, BacktestProgress } from '../run-backtest';
import { PHASES, PROGRESS, type BacktestResult, type FromWorker, type ToWorker, type WorkerStart } from './protocol';
import type { SpoolRequest } from './spool';

export interface BacktestServiceOptions {
  /** Compiled entry file of a backtest's thread, which calls `serveBacktest`. */
  worker: string;
  /** Runs at one time; the others wait. Default: the processor's cores. */
  atOnce?: number;
}

/** What is wanted of one run. */
export interface BacktestRequest {
  /** Told several times a second. */
  onProgress?: (progress: RunningBacktest) => void;
  /** Told of what a person should know and what ends nothing. */
  onNotice?: (message: string) => void;
  /** Fires when the run is to end; what there is then is a partial result. */
  signal?: AbortSignal;
  /** Whether the report's files are made. Default: yes. */
  withFiles?: boolean;
  spool?: SpoolRequest;
  /** Handed to the thread's own part, plain data. */
  resources?: unknown;
}

export interface RunningBacktest extends Omit<BacktestProgress, 'phase'> {
  phase: 'waiting' | (typeof PHASES)[number];
}

/** A run that stood still and was ended from outside. */
export class BacktestHung extends Error {
  override readonly name = 'BacktestHung';
}

/** Wall ms between two looks at a run. */
const LOOK_EVERY_MS = 200;

/**
 * Runs backtests, several at once, each whole in a thread of its own with the watchdog outside (rule 31). Nothing of one
 * reaches another, so the results do not depend on how many run at a time.
 */
export class BacktestService {
  private readonly atOnce: number;
  private running = 0;
  private waiting: Array<() => void> = [];

  constructor(private readonly options: BacktestServiceOptions) {
    this.atOnce = Math.max(1, options.atOnce ?? availableParallelism());
  }

  /**
   * Runs one backtest, when a place is free.
   *
   * @throws BacktestRefused when it cannot be run as it is asked for; BacktestHung when it stood still for too long; an
   *   AbortError when it was stopped before it began
   */
  async run(job: BacktestJob, request: BacktestRequest = {}): Promise<BacktestResult> {
    await this.place(request);
    try {
      return await new RunningThread(this.options.worker, job, request).result;
    } finally {
      this.running -= 1;
      const free = this.waiting;
      this.waiting = [];
      // Each looks for itself whether the place is its own.
      for (const wake of free) wake();
    }
  }

  private async place({ signal, onProgress }: BacktestRequest): Promise<void> {
    while (this.running >= this.atOnce) {
      onProgress?.({ phase: 'waiting', events: 0, at: 0, share: 0 });
      await new Promise<void>((free) => {
        this.waiting.push(free);
        signal?.addEventListener('abort', () => free(), { once: true });
      });
      signal?.throwIfAborted();
    }
    signal?.throwIfAborted();
    this.running += 1;
  }
}

/**
 * Most that a run may keep, MiB: a trade takes about one KiB, everything else does not grow with the run. Under a bound that is
 * not far away the engine collects what is dead in time; without one a year of minutes takes a third more memory.
 */
const HEAP_MB = 1_000;

class RunningThread {
  readonly result: Promise<BacktestResult>;
  private readonly shared: Float64Array;
  private readonly watch: StrategyWatch;
  private readonly worker: Worker;
  private lastEvents = -1;
  private lastMoveAt = performance.now();
  private settle: { resolve: (result: BacktestResult) => void; reject: (error: Error) => void } | null = null;
  private readonly timer: NodeJS.Timeout;

  constructor(
    script: string,
    private readonly job: BacktestJob,
    private readonly request: BacktestRequest,
  ) {
    const progress = new SharedArrayBuffer(PROGRESS.length * Float64Array.BYTES_PER_ELEMENT);
    const strategyMemory = StrategyWatch.memory();
    this.shared = new Float64Array(progress);
    this.watch = new StrategyWatch(strategyMemory);
    const { withFiles = true, spool = null, resources = null } = request;
    const start: WorkerStart = { job, progress, strategyMemory, withFiles, spool, resources };
    this.result = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    this.worker = new Worker(script, { workerData: start, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } });
    this.worker.on('message', (message: FromWorker) => this.receive(message));
    this.worker.on('error', (error) => this.end((settle) => settle.reject(inWords(error))));
    this.worker.on('exit', (code) => this.exited(code));
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    request.signal?.addEventListener('abort', this.stop);
    if (request.signal?.aborted === true) this.stop();
  }

  private readonly stop = (): void => {
    this.worker.postMessage('stop' satisfies ToWorker);
  };

  private receive(message: FromWorker): void {
    if (message.kind === 'notice') this.request.onNotice?.(message.message);
    else if (message.kind === 'done') this.end((settle) => settle.resolve(message.result));
    else {
      const error = message.isRefusal ? new BacktestRefused(message.message) : new Error(message.message);
      if (!message.isRefusal) error.stack = message.stack;
      this.end((settle) => settle.reject(error));
    }
  }

  private exited(code: number): void {
    const message = `The backtest's thread ended with code ${code} before it had a result; a strategy may have ended the process.`;
    this.end((settle) => settle.reject(new Error(message)));
  }

  /** Tells how far it is, and ends it when it has stood still for too long. */
  private look(): void {
    const { shared, request } = this;
    const [phase = 0, events = 0, at = 0, share = 0] = shared;
    request.onProgress?.({ phase: PHASES[phase] ?? 'opening', events, at, share });
    const now = performance.now();
    if (events !== this.lastEvents || PHASES[phase] !== 'replaying') {
      this.lastEvents = events;
      this.lastMoveAt = now;
    }
    const hung = this.watch.hung(now, this.job.config.watchdogMs);
    if (hung === null && now - this.lastMoveAt <= this.job.config.watchdogMs * STILL) return;
    const seconds = Math.round(this.job.config.watchdogMs / 1_000);
    const when = new Date(hung?.eventTime ?? at).toISOString();
    const message =
      hung === null
        ? `The backtest stood still at ${when} and was ended. Nothing of it is saved.`
        : `A strategy (${this.nameOf(hung.index)}) did not come back from the event of ${when} within ${seconds} s: the backtest was ended. ` +
          'Nothing of it is saved; a handler must answer at once.';
    this.end((settle) => settle.reject(new BacktestHung(message)));
  }

  private nameOf(index: number): string {
    const { strategies } = this.job.config;
    const entry = strategies.length === 1 ? strategies[0] : undefined;
    return entry === undefined ? `number ${index + 1} of their handlers` : (entry.name ?? entry.path);
  }

  private end(how: (settle: NonNullable<RunningThread['settle']>) => void): void {
    const { settle } = this;
    if (settle === null) return;
    this.settle = null;
    clearInterval(this.timer);
    this.request.signal?.removeEventListener('abort', this.stop);
    void this.worker.terminate().finally(() => how(settle));
  }
}

/** Progress is told every few thousand events, which a slow strategy may take long for: that many times longer is waited. */
const STILL = 4;

function inWords(error: Error & { code?: string }): Error {
  if (error.code !== 'ERR_WORKER_OUT_OF_MEMORY') return error;
  const message = `The backtest needs more than ${HEAP_MB} MB of memory. A strategy may keep too much in its state; else run a shorter range.`;
  return new Error(message, { cause: error });
}
