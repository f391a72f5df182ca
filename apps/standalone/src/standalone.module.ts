import { Module, type DynamicModule } from '@nestjs/common';
import { AgentsModule } from '@moon/app-agents';
import { ApiModule } from '@moon/app-api';
import { ExecutionModule, type OperatorDesk } from '@moon/app-execution';
import { RecorderModule } from '@moon/app-recorder';
import { MetricsModule, type HealthRegistry, type OperatorInbox, type ProcessMetrics } from '@moon/infra';

export { standaloneConfigSchema } from './config/standalone-config';

/** What the applications of one process share. */
export interface StandaloneParts {
  health: HealthRegistry;
  metrics: ProcessMetrics;
  desk: OperatorDesk;
  requests: OperatorInbox;
}

/** All applications in one process, on embedded parts: what `npm start` runs. */
@Module({ imports: [AgentsModule] })
export class StandaloneModule {
  static with(parts: StandaloneParts): DynamicModule {
    return {
      module: StandaloneModule,
      imports: [
        ApiModule.with(parts.health),
        MetricsModule.with(parts.metrics),
        ExecutionModule.with(parts.desk),
        RecorderModule.with(parts.requests),
      ],
    };
  }
}
