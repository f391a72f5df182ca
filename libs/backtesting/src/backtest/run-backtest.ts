import type { AnyEvent } from '@moon/events';
import { canonicalHash, VolatileEventStore, type EventStore } from '@moon/kernel';
import { replay } from '../replay/replay';
import type { ReportInput } from '../report';
import type { BacktestConfig } from './config';
import type { BacktestInputs, OpenInputs } from './inputs';
import { reportedQuality } from './reported-quality';
import { assertCovered, planOf, rangeOf, type BacktestPlan } from './plan';
import { Recorder, type Recording } from './recorder/recorder';

/** One backtest to run. Plain data: it goes to another thread. */
export interface BacktestJob {
  /** Under which its report is kept. */
  id: string;
  config: BacktestConfig;
  /** What relative paths start from: the folder of the configuration. */
  folder: string;
  codeVersion: string;
}

/** How far a run is. */
export interface BacktestProgress {
  /** `opening` = files are read for the first time; `replaying` = events are handled. */
  phase: 'opening' | 'replaying';
  events: number;
  /** Time of the newest event, ms; 0 before the first. */
  at: number;
  /** Share of the range that is done, 0…1. */
  share: number;
}

export interface BacktestHooks {
  openInputs: OpenInputs;
  onProgress?: (progress: BacktestProgress) => void;
  /** Fires when the run is to end; what there is then is a partial result. */
  signal?: AbortSignal;
  /** Where the run's events go beside being counted and hashed; default: nowhere. */
  archive?: (run: { startsAt: number }) => Pick<EventStore, 'appendBatch'>;
}

/** What a backtest gives: everything that its report is made from. */
export interface BacktestOutcome {
  input: ReportInput;
  fillsSha256: string;
  /** Failed deliveries by handler; such an event was passed over by an agent, or stopped a key of another handler. */
  failures: Record<string, number>;
  /** What the venue's own books say otherwise than the portfolios; empty when they agree. */
  venueDifferences: string[];
}

/** Events between two reports of progress. */
const PROGRESS_EVERY = 4_096;

/**
 * Runs one backtest to its end in this thread: opens the data, plays them through the whole platform, and records what
 * its report is made from. A run that is stopped, or breaks on its way, gives what it has, marked as partial.
 *
 * @throws BacktestRefused when it cannot be run as it is asked for; an Error of the data when they cannot be read
 */
export async function runBacktest(job: BacktestJob, hooks: BacktestHooks): Promise<BacktestOutcome> {
  const { config, folder } = job;
  const range = rangeOf(config);
  const { data, warmUpMs, ticks } = config;
  hooks.onProgress?.({ phase: 'opening', events: 0, at: 0, share: 0 });
  const inputs = await hooks.openInputs({ data, range, warmUpMs, ticks, folder });
  try {
    assertCovered(range, inputs);
    return await new BacktestRun(job, hooks, inputs, planOf(config, inputs.instruments)).run();
  } finally {
    await inputs.close();
  }
}

/** What is told of how a run ended. */
interface End {
  statusReason: string | null;
  stateHash: string | null;
  venueDifferences: string[];
}

class BacktestRun {
  private readonly recorder: Recorder;
  private readonly store: VolatileEventStore;
  private events = 0;
  private readonly from: number;
  private readonly span: number;

  constructor(
    private readonly job: BacktestJob,
    private readonly hooks: BacktestHooks,
    private readonly inputs: BacktestInputs,
    private readonly plan: BacktestPlan,
  ) {
    const archive = hooks.archive?.(inputs);
    this.recorder = new Recorder(plan.benchmark);
    this.store = archive ? new ArchivedStore(archive) : new VolatileEventStore();
    this.from = inputs.startsAt;
    const to = Math.min(rangeOf(job.config).to ?? Number.POSITIVE_INFINITY, inputs.lastAt ?? Number.POSITIVE_INFINITY);
    this.span = Math.max(1, to - this.from);
  }

  async run(): Promise<BacktestOutcome> {
    const startedAt = performance.now();
    const end = await this.replay();
    const wallSeconds = (performance.now() - startedAt) / 1_000;
    const recording = this.recorder.finish(this.inputs.reader());
    const { failures, fillsSha256 } = recording;
    const input = await this.reportInput(recording, end, wallSeconds);
    return { input, fillsSha256, failures, venueDifferences: end.venueDifferences };
  }

  private async replay(): Promise<End> {
    const { job, inputs, plan, hooks } = this;
    const { modelLatency, orderTimeToLiveMs } = job.config;
    try {
      const result = await replay({
        ...{ runId: job.id, codeVersion: job.codeVersion, platform: plan.platform, venue: plan.venue },
        ...{ source: inputs.source, startsAt: inputs.startsAt, modelLatency, orderTimeToLiveMs },
        ...{ feedInstruments: inputs.instruments, fundingInstruments: inputs.fundingInstruments },
        ...{ store: this.store, signal: hooks.signal, onEvent: (event: AnyEvent) => this.observe(event) },
      });
      const statusReason = result.isComplete ? null : 'It was stopped before the end of its range.';
      return { statusReason, stateHash: result.stateHash, venueDifferences: result.venueDifferences };
    } catch (error) {
      const statusReason = `It broke: ${error instanceof Error ? error.message : String(error)}`;
      return { statusReason, stateHash: null, venueDifferences: [] };
    }
  }

  private observe(event: AnyEvent): void {
    this.recorder.observe(event);
    this.events += 1;
    if (this.events % PROGRESS_EVERY !== 0 || !this.hooks.onProgress) return;
    const at = event.occurredAt;
    const share = Math.min(1, Math.max(0, (at - this.from) / this.span));
    this.hooks.onProgress({ phase: 'replaying', events: this.events, at, share });
  }

  private async reportInput(recording: Recording, end: End, wallSeconds: number): Promise<ReportInput> {
    const { job, inputs, plan } = this;
    const { portfolios, benchmark, candles, decisions, dataQuality, bars, ticks, limits } = recording;
    const { platform: _given, ...config } = job.config;
    const configuration = { ...config, platform: plan.platform, venue: plan.venue } as Record<string, unknown>;
    const isPartial = end.statusReason !== null;
    return {
      run: {
        ...{ id: job.id, name: config.name, codeVersion: job.codeVersion },
        ...{ status: isPartial ? 'partial' : 'complete', statusReason: end.statusReason },
        ...{ configuration, configurationHash: canonicalHash(configuration) },
        data: {
          sources: [...inputs.names],
          instruments: [...inputs.instruments],
          firstAt: recording.firstAt ?? inputs.startsAt,
          lastAt: recording.lastAt ?? inputs.startsAt,
          fingerprint: inputs.fingerprint(),
        },
        seed: config.seed,
        ...{ eventHash: isPartial ? null : this.store.eventHash(), stateHash: isPartial ? null : end.stateHash },
        ...{ events: this.events, eventsByType: await this.store.countsByType() },
        ...{ refusedByReason: recording.ordersRefused, limits, bars, ticks, wallSeconds },
        barsPerSecond: wallSeconds > 0 ? (bars > 0 ? bars : ticks) / wallSeconds : 0,
      },
      ...{ portfolios, benchmark, candles, decisions, dataQuality: reportedQuality(dataQuality) },
    };
  }
}

/** Counts and hashes a log, and hands it on. */
class ArchivedStore extends VolatileEventStore {
  constructor(private readonly archive: Pick<EventStore, 'appendBatch'>) {
    super();
  }

  override async appendBatch(rows: Parameters<EventStore['appendBatch']>[0]): Promise<void> {
    await super.appendBatch(rows);
    await this.archive.appendBatch(rows);
  }
}
