import { Test } from '@nestjs/testing';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { HealthRegistry } from '../../health/health-registry';
import { MetricsModule } from './metrics.module';
import { ProcessMetrics } from './process-metrics';
import { healthSamples } from './samples';

describe('GET /metrics', () => {
  const metrics = new ProcessMetrics('api');
  let app: NestFastifyApplication;

  beforeAll(async () => {
    const module = await Test.createTestingModule({ imports: [MetricsModule.with(metrics)] }).compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    await app.init();
  });
  afterAll(() => app.close());

  it('[NFM-2] answers in the text format of Prometheus, also when a source throws', async () => {
    metrics.addSource('health', () => healthSamples(new HealthRegistry()));
    metrics.addSource('broken', () => Promise.reject(new Error('away')));

    const { statusCode, headers, body } = await app.inject({ method: 'GET', url: '/metrics' });
    expect(statusCode).toBe(200);
    expect(headers['content-type']).toBe(metrics.contentType);
    expect(body).toContain('# TYPE moon_ready gauge\nmoon_ready{app="api"} 0\n');
    expect(body).toContain('moon_component_up{component="broker",app="api"} 0\n');
  });
});
