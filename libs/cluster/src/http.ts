import 'reflect-metadata';
import { Controller, Get, Inject, Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { HealthModule, MetricsModule, type HealthRegistry, type ProcessMetrics } from '@moon/infra';

/** What a process says of itself: shards, lags, counters. Plain JSON. */
export abstract class StatusSource {
  abstract read(): Promise<object>;
}

@Controller('status')
class StatusController {
  constructor(@Inject(StatusSource) private readonly source: StatusSource) {}

  @Get()
  status(): Promise<object> {
    return this.source.read();
  }
}

/** What a process tells of itself over HTTP. */
export interface ProcessSources {
  health: HealthRegistry;
  metrics: ProcessMetrics;
  status: StatusSource;
}

@Module({ controllers: [StatusController] })
class ProcessModule {
  static with({ health, metrics, status }: ProcessSources, imports: readonly DynamicModule[]): DynamicModule {
    return {
      module: ProcessModule,
      imports: [HealthModule.with(health), MetricsModule.with(metrics), ...imports],
      providers: [{ provide: StatusSource, useValue: status }],
    };
  }
}

export interface ProcessHttp {
  address: string;
  close(): Promise<void>;
}

/** Serves health, metrics and status of one process. @throws Error that names the port when it is taken */
export async function serveProcess(
  { host, port }: { host: string; port: number },
  sources: ProcessSources,
  imports: readonly DynamicModule[] = [],
): Promise<ProcessHttp> {
  const module = ProcessModule.with(sources, imports);
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), {
    logger: false,
    abortOnError: false,
  });
  try {
    await app.listen(port, host);
  } catch (error) {
    await app.close();
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    const advice = 'choose another one with --port, or --port 0 for any free one';
    throw new Error(`port ${port} on ${host} is taken; ${advice}`, { cause: error });
  }
  const bound = app.getHttpServer().address();
  const listening = typeof bound === 'object' && bound !== null ? bound.port : port;
  return { address: `http://${host}:${listening}`, close: () => app.close() };
}
