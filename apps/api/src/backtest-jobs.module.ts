import { Inject, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { JobQueues, QueuesModule, type QueuesOptions } from '@moon/infra';
import { BacktestProcessor, type BacktestProcessorOptions } from './jobs/backtest-processor';

export { saveReport, type SavedReport } from './jobs/save-report';

export interface BacktestJobsOptions {
  queues: QueuesOptions;
  backtests: BacktestProcessorOptions;
  /** Backtests at one time in this process. Default 1. */
  atOnce?: number;
}

const OPTIONS = Symbol('BACKTEST_JOBS');

/** Backtests as long jobs: whoever imports it works on the queue. `JobQueues` adds them, tells how far they are, cancels them. */
@Module({ exports: [] })
export class BacktestJobsModule implements OnModuleInit {
  constructor(
    @Inject(JobQueues) private readonly queues: JobQueues,
    @Inject(OPTIONS) private readonly options: BacktestJobsOptions,
  ) {}

  static with(options: BacktestJobsOptions): DynamicModule {
    return {
      module: BacktestJobsModule,
      imports: [QueuesModule.forRoot(options.queues)],
      providers: [{ provide: OPTIONS, useValue: options }],
    };
  }

  onModuleInit(): void {
    this.queues.process('backtests', new BacktestProcessor(this.options.backtests), this.options.atOnce);
  }
}
