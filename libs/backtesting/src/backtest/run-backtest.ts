import type { AnyEvent } from '@moon/events';
import { canonicalHash, UnguardedFailure, VolatileEventStore, type InputSource, type LogRow } from '@moon/kernel';
import { replay } from '../replay/replay';
import type { ReportInput } from '../report';
import { loadStrategies, withVoters, type Strategy, type StrategyFailures, type StrategyWatch } from '../strategies';
import { BacktestRefused, type BacktestConfig } from './config';
import type { BacktestInputs, OpenInputs } from './inputs';
import { RangedSource } from './ranged-source';
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
  /** Version of the code, as `config.activated` has it; and the commit, where it is known. */
  codeVersion: string;
  commit: string | null;
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
  /** Where the run's events go beside being counted and hashed, asked for at the start of a run; default: nowhere. */
  archive?: () => Archive;
  /** Tells a watchdog outside which strategy is at work. */
  strategyWatch?: StrategyWatch;
}

/** Takes every event of a run in order. */
export interface Archive {
  append(row: LogRow): void;
}

/** What a backtest gives: everything that its report is made from. */
export interface BacktestOutcome {
  input: ReportInput;
  fillsSha256: string;
  /** Failed deliveries by handler; such an event was passed over by an agent, or stopped a key of another handler. */
  failures: Record<string, number>;
  /** Of the user's strategies, with the first error of each. */
  strategyFailures: StrategyFailures[];
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
  rangeOf(job.config);
  try {
    return await runOnce(job, hooks, false);
  } catch (error) {
    if (!(error instanceof UnguardedFailure)) throw error;
    // A handler threw, and the fast way keeps no way back: from the beginning again, with one, to skip it as live does.
    return runOnce(job, hooks, true);
  }
}

async function runOnce(job: BacktestJob, hooks: BacktestHooks, isGuarded: boolean): Promise<BacktestOutcome> {
  const { config, folder } = job;
  const range = rangeOf(config);
  const { data, warmUpMs, ticks } = config;
  const strategies = loadStrategies(config.strategies, folder);
  hooks.onProgress?.({ phase: 'opening', events: 0, at: 0, share: 0 });
  const inputs = await hooks.openInputs({ data, range, warmUpMs, ticks, folder });
  try {
    assertCovered(range, inputs);
    const plan = planOf(config, inputs.instruments);
    return await new BacktestRun(job, hooks, { inputs, plan, strategies, isGuarded }).run();
  } finally {
    await inputs.close();
  }
}

interface Parts {
  inputs: BacktestInputs;
  plan: BacktestPlan;
  strategies: readonly Strategy[];
  isGuarded: boolean;
}

/** What is told of how a run ended. */
interface End {
  /** It came to the end of its range. */
  isWhole: boolean;
  /** What it broke by, in its own words; null when it did not. */
  brokenBy: string | null;
  statusReason: string | null;
  stateHash: string | null;
  venueDifferences: string[];
  strategyFailures: StrategyFailures[];
}

class BacktestRun {
  private readonly recorder: Recorder;
  private readonly store: VolatileEventStore;
  private events = 0;
  private readonly from: number;
  private readonly span: number;
  private readonly source: InputSource;

  constructor(
    private readonly job: BacktestJob,
    private readonly hooks: BacktestHooks,
    private readonly parts: Parts,
  ) {
    const { plan, inputs } = parts;
    this.recorder = new Recorder(plan.benchmark);
    this.store = hooks.archive ? new ArchivedStore(hooks.archive()) : new VolatileEventStore(true);
    this.from = inputs.startsAt;
    const range = rangeOf(job.config);
    this.source = new RangedSource(inputs.source, range, job.config.warmUpMs > 0);
    const to = Math.min(range.to ?? Number.POSITIVE_INFINITY, inputs.lastAt ?? Number.POSITIVE_INFINITY);
    this.span = Math.max(1, to - this.from);
  }

  async run(): Promise<BacktestOutcome> {
    const startedAt = performance.now();
    const end = await this.replay();
    const wallSeconds = (performance.now() - startedAt) / 1_000;
    const recording = this.recorder.finish(this.parts.inputs.reader());
    // It broke before its first portfolio was open: that is no partial result, it is a configuration nobody can run.
    if (recording.portfolios.length === 0) throw new BacktestRefused(end.brokenBy ?? 'The run opened no portfolio.');
    const { failures, fillsSha256 } = recording;
    const input = await this.reportInput(recording, end, wallSeconds);
    const { venueDifferences, strategyFailures } = end;
    return { input, fillsSha256, failures, venueDifferences, strategyFailures };
  }

  private async replay(): Promise<End> {
    const { job, hooks } = this;
    const { inputs, plan, strategies, isGuarded } = this.parts;
    const { modelLatency, orderTimeToLiveMs } = job.config;
    try {
      const result = await replay({
        // The name is no part of what happens: two runs of one backtest have the same events.
        ...{ codeVersion: job.codeVersion, platform: plan.platform, venue: plan.venue },
        ...{ source: this.source, startsAt: inputs.startsAt, modelLatency, orderTimeToLiveMs },
        ...{ feedInstruments: inputs.instruments, fundingInstruments: inputs.fundingInstruments },
        ...{ strategies, strategyWatch: hooks.strategyWatch, isGuarded },
        ...{ store: this.store, signal: hooks.signal, onEvent: (event: AnyEvent) => this.observe(event) },
      });
      const { stateHash, venueDifferences, strategyFailures } = result;
      const statusReason = result.isComplete
        ? failedIn(strategyFailures)
        : 'It was stopped before the end of its range.';
      return {
        isWhole: result.isComplete,
        brokenBy: null,
        statusReason,
        stateHash,
        venueDifferences,
        strategyFailures,
      };
    } catch (error) {
      if (error instanceof UnguardedFailure) throw error;
      const brokenBy = error instanceof Error ? error.message : String(error);
      const nothing = { stateHash: null, venueDifferences: [], strategyFailures: [] };
      return { isWhole: false, brokenBy, statusReason: `It broke: ${brokenBy}`, ...nothing };
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
    const { job } = this;
    const { inputs, plan, strategies } = this.parts;
    const { portfolios, benchmark, candles, decisions, dataQuality, bars, ticks, limits } = recording;
    const { platform: _given, ...config } = job.config;
    const platform = withVoters(plan.platform, strategies);
    const configuration = { ...config, platform, venue: plan.venue } as Record<string, unknown>;
    const isPartial = end.statusReason !== null;
    const fingerprint = inputs.fingerprint();
    return {
      run: {
        ...{ id: job.id, name: config.name },
        codeVersion: job.commit === null ? job.codeVersion : `${job.codeVersion}+${job.commit}`,
        ...{ status: isPartial ? 'partial' : 'complete', statusReason: end.statusReason },
        ...{ configuration, configurationHash: canonicalHash(configuration) },
        data: {
          sources: [...inputs.names],
          instruments: [...inputs.instruments],
          firstAt: recording.firstAt ?? inputs.startsAt,
          lastAt: recording.lastAt ?? inputs.startsAt,
          fingerprint,
        },
        seed: config.seed,
        // A run that came to its end has both, also when a strategy failed on the way.
        ...{
          eventHash: end.isWhole ? this.store.eventHash(fingerprint) : null,
          stateHash: end.isWhole ? end.stateHash : null,
        },
        ...{ events: this.events, eventsByType: await this.store.countsByType() },
        ...{ refusedByReason: recording.ordersRefused, limits, bars, ticks, wallSeconds },
        barsPerSecond: wallSeconds > 0 ? (bars > 0 ? bars : ticks) / wallSeconds : 0,
      },
      ...{ portfolios, benchmark, candles, decisions, dataQuality: reportedQuality(dataQuality) },
    };
  }
}

/** A run whose strategies failed lacks what they would have said. */
function failedIn(failures: readonly StrategyFailures[]): string | null {
  const [failed] = failures;
  if (!failed) return null;
  const { strategy, count, first } = failed;
  const when = new Date(first.at).toISOString();
  return `Strategy ${strategy} failed at ${count} ${count === 1 ? 'event' : 'events'}, first at ${when}: ${first.message} What it would have said there is missing.`;
}

/** Counts and hashes a log, and hands it on. */
class ArchivedStore extends VolatileEventStore {
  constructor(private readonly archive: Archive) {
    super(true);
  }

  override append(row: LogRow): void {
    super.append(row);
    this.archive.append(row);
  }
}
