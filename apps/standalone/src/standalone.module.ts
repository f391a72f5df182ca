import { Module, type DynamicModule } from '@nestjs/common';
import { AgentsModule } from '@moon/app-agents';
import { ApiModule } from '@moon/app-api';
import { ExecutionModule, type OperatorDesk } from '@moon/app-execution';
import { RecorderModule } from '@moon/app-recorder';
import type { HealthRegistry, OperatorInbox } from '@moon/infra';

export { standaloneConfigSchema } from './config/standalone-config';

/** All applications in one process, on embedded parts: what `npm start` runs. */
@Module({ imports: [AgentsModule] })
export class StandaloneModule {
  static with(parts: { health: HealthRegistry; desk: OperatorDesk; requests: OperatorInbox }): DynamicModule {
    return {
      module: StandaloneModule,
      imports: [ApiModule.with(parts.health), ExecutionModule.with(parts.desk), RecorderModule.with(parts.requests)],
    };
  }
}
