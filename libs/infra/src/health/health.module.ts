import { Module, type DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthController } from './health.controller';
import { HealthRegistry } from './health-registry';

/** The health endpoints of a process, over what it says of its components. */
@Module({ imports: [TerminusModule.forRoot({ logger: false })], controllers: [HealthController] })
export class HealthModule {
  /** @param registry the process's health, filled by whoever starts the components */
  static with(registry: HealthRegistry): DynamicModule {
    return { module: HealthModule, providers: [{ provide: HealthRegistry, useValue: registry }] };
  }
}
