import { METRICS } from './catalog';

/** Metrics of Node's own that dashboards and rules may use; prom-client serves more of them. */
export const NODE_METRICS = {
  process_resident_memory_bytes: 'Resident memory of the process.',
  process_cpu_seconds_total: 'Processor time that the process has used.',
  process_start_time_seconds: 'When the process started, epoch seconds.',
  nodejs_eventloop_lag_p99_seconds: '99th percentile of the delay of the event loop since the last scrape.',
  nodejs_eventloop_lag_max_seconds: 'Longest delay of the event loop since the last scrape.',
  nodejs_heap_size_used_bytes: 'Heap in use.',
} as const;

/** The page of all metrics as Markdown. */
export function metricsReference(): string {
  const lines = [
    '# Metrics that processes serve',
    '',
    'Generated from `libs/infra/src/telemetry/metrics/catalog.ts` by `node scripts/metrics-reference.mjs`; a test fails when it is',
    'out of date. `GET /metrics` of every process serves those that it has something to say about. Each series has the label `app`',
    '(`agents`, `execution`, `recorder`, `api`, `standalone`). A figure of a trading report is another thing: [metrics.md](metrics.md).',
    '',
    '| Metric | Kind | Labels | Meaning |',
    '| --- | --- | --- | --- |',
  ];
  for (const [name, { type, labels, help }] of Object.entries(METRICS)) {
    lines.push(`| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`);
  }
  lines.push('', 'Of Node, among others:', '', '| Metric | Meaning |', '| --- | --- |');
  for (const [name, help] of Object.entries(NODE_METRICS)) lines.push(`| \`${name}\` | ${help} |`);
  return `${lines.join('\n')}\n`;
}
