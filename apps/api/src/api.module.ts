import { Module, type DynamicModule } from '@nestjs/common';
import { HealthModule, type HealthRegistry } from '@moon/infra';

/** HTTP edge. It carries health for now; REST, GraphQL and the dashboard come with their own work. */
@Module({ exports: [HealthModule] })
export class ApiModule {
  /** @param registry the process's health, filled by whoever starts the components */
  static with(registry: HealthRegistry): DynamicModule {
    return { module: ApiModule, imports: [HealthModule.with(registry)] };
  }
}
