export { METRICS, sample, type MetricName, type Sample } from './catalog';
export { MetricsModule } from './metrics.module';
export { ProcessMetrics, type MetricSource } from './process-metrics';
export { metricsReference, NODE_METRICS } from './reference';
export {
  countOrders,
  haltSamples,
  healthSamples,
  lagSamples,
  publisherSamples,
  parkedSamples,
  shardSamples,
  type ShardPosition,
} from './samples';
