import { Value } from '@sinclair/typebox/value';
import {
  backtestConfigSchema,
  BacktestHung,
  BacktestRefused,
  type BacktestConfig,
  type BacktestResult,
  type BacktestService,
} from '@moon/backtesting';
import type { JsonObject } from '@moon/events';
import {
  JobRefused,
  type JobOutcome,
  type JobProcessor,
  type PostgresAccess,
  type RunningJob,
  type RunRegistry,
} from '@moon/infra';
import { saveReport } from './save-report';

/**
 * What a backtest is asked for with: the content of its job. It names data files and knows nothing of what is in them: who asks
 * again after they changed, and wants another report, adds a field of its own, e.g. their hash, which makes it another job.
 */
export interface BacktestJobPayload {
  config: BacktestConfig;
  /** What relative paths start from. */
  folder: string;
}

export interface BacktestProcessorOptions {
  service: BacktestService;
  access: PostgresAccess;
  registry: RunRegistry;
  codeVersion: string;
  commit: string | null;
}

/** Runs the backtests of the queue. The report is kept under the job's id: the same wish has one report, however often it ran. */
export class BacktestProcessor implements JobProcessor {
  constructor(private readonly options: BacktestProcessorOptions) {}

  async work({ jobId, payload, signal, progress }: RunningJob): Promise<JobOutcome> {
    const { service, access, registry, codeVersion, commit } = this.options;
    const { config, folder } = payloadOf(payload);
    const run = config.data.run;
    try {
      const result = await service.run(
        { id: jobId, config, folder, codeVersion, commit },
        {
          signal,
          onProgress: ({ share }) => progress(share),
          resources: { store: run === undefined ? null : { access, runId: run } },
        },
      );
      signal.throwIfAborted();
      return { effect: () => this.save({ access, registry }, result) };
    } catch (error) {
      // The same data and settings end the same way.
      if (error instanceof BacktestRefused || error instanceof BacktestHung)
        throw new JobRefused(error.message, { cause: error });
      throw error;
    }
  }

  private async save(
    store: Pick<BacktestProcessorOptions, 'access' | 'registry'>,
    result: BacktestResult,
  ): Promise<JsonObject> {
    if (result.files === null) throw new Error(`The backtest ${result.summary.id} made no report.`);
    const { reportId, archivedRun, eventId } = await saveReport(store, result, result.files);
    return { reportId, archivedRun, eventId };
  }
}

/** @throws JobRefused that says what is wrong with what was asked for */
function payloadOf(payload: JsonObject): BacktestJobPayload {
  const config: unknown = Value.Default(backtestConfigSchema, structuredClone(payload.config));
  const problem = Value.Errors(backtestConfigSchema, config).First();
  if (problem)
    throw new JobRefused(`The backtest's "${problem.path.slice(1).replaceAll('/', '.')}": ${problem.message}.`);
  if (typeof payload.folder !== 'string') throw new JobRefused('The backtest names no folder for its relative paths.');
  return { config: config as BacktestConfig, folder: payload.folder };
}
