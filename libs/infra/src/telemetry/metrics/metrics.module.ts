import { Controller, Get, Header, Inject, Module, type DynamicModule } from '@nestjs/common';
import { ProcessMetrics } from './process-metrics';

/** `GET /metrics`: what Prometheus scrapes. */
@Controller('metrics')
class MetricsController {
  constructor(@Inject(ProcessMetrics) private readonly metrics: ProcessMetrics) {}

  @Get()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  text(): Promise<string> {
    return this.metrics.text();
  }
}

@Module({ controllers: [MetricsController] })
export class MetricsModule {
  /** @param metrics of the process, filled by whoever starts its parts */
  static with(metrics: ProcessMetrics): DynamicModule {
    return { module: MetricsModule, providers: [{ provide: ProcessMetrics, useValue: metrics }] };
  }
}
