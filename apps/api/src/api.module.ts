import { Module, type DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthRegistry } from '@moon/infra';
import { HealthController } from './health.controller';

/** HTTP edge. It carries health for now; REST, GraphQL and the dashboard come with their own work. */
@Module({ imports: [TerminusModule.forRoot({ logger: false })], controllers: [HealthController] })
export class ApiModule {
  /** @param registry the process's health, filled by whoever starts the components */
  static with(registry: HealthRegistry): DynamicModule {
    return { module: ApiModule, providers: [{ provide: HealthRegistry, useValue: registry }] };
  }
}
