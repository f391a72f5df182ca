import { Controller, Get, HttpCode, Inject, ServiceUnavailableException } from '@nestjs/common';
import {
  HealthCheckService,
  HealthIndicatorService,
  type HealthCheckResult,
  type HealthIndicatorResult,
} from '@nestjs/terminus';
import { COMPONENTS, HealthRegistry } from './health-registry';

/** Health for orchestrators and people: each endpoint answers 200 or 503 with the state of every component. */
@Controller('health')
export class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly checks: HealthCheckService,
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
    @Inject(HealthRegistry) private readonly registry: HealthRegistry,
  ) {}

  /** The process runs and answers; restarting it would only help if this failed. */
  @Get('live')
  @HttpCode(200)
  live(): { status: 'ok'; state: string } {
    return { status: 'ok', state: this.registry.state };
  }

  /** All components are up and market data is accepted. */
  @Get('ready')
  async ready(): Promise<HealthCheckResult> {
    if (this.registry.state === 'STOPPING')
      throw new ServiceUnavailableException({ status: 'shutting_down', ...this.registry.report() });
    return this.checks.check([...COMPONENTS.map((name) => () => this.component(name)), () => this.system()]);
  }

  /** Start-up has come to its end. */
  @Get('startup')
  startup(): ReturnType<HealthRegistry['report']> {
    const report = this.registry.report();
    if (report.state === 'STARTING' || report.state === 'FAILED') throw new ServiceUnavailableException(report);
    return report;
  }

  /** Metrics of every agent: handled, emitted, failed, busy time, lag and queue. */
  @Get('agents')
  agents(): readonly object[] {
    return this.registry.agents();
  }

  private component(name: (typeof COMPONENTS)[number]): HealthIndicatorResult {
    const { status, detail, since } = this.registry.report().components[name] ?? {
      status: 'waiting',
      detail: '',
      since: '',
    };
    const indicator = this.indicators.check(name);
    if (status === 'up') return indicator.up({ detail, since });
    const said = { detail, since, state: status };
    return status === 'degraded' ? indicator.up(said) : indicator.down(said);
  }

  private system(): HealthIndicatorResult {
    const indicator = this.indicators.check('system');
    return this.registry.state === 'READY' ? indicator.up() : indicator.down({ state: this.registry.state });
  }
}
