import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import {
  DURATION_BUCKETS,
  METRICS,
  sample,
  type CounterName,
  type HistogramName,
  type LabelArguments,
  type Sample,
} from './catalog';

/** Reads what a part of the process knows. */
export type MetricSource = () => readonly Sample[] | Promise<readonly Sample[]>;

export interface ProcessMetricsOptions {
  /** Told why a source could not be read. */
  onError?: (source: string, error: Error) => void;
  /** A source that takes longer is left out of this answer, wall ms. */
  sourceMs?: number;
  /** Series of one metric; those beyond are counted and not served. */
  mostSeries?: number;
}

interface Source {
  name: string;
  read: MetricSource;
  /** An earlier reading that has not come back: another would only wait behind it. */
  underWay: Promise<readonly Sample[]> | null;
}

/** Less than a scrape's own time-out, which is 5 s with our interval. */
const SOURCE_MS = 2_000;
const MOST_SERIES = 500;

/**
 * The metrics of one process, in a registry of its own. What is counted or timed is kept here; everything else is read when
 * somebody asks. A source that throws or hangs is counted and left out, and the rest is served.
 */
export class ProcessMetrics {
  private readonly registry = new Registry();
  private readonly counters = new Map<CounterName, Counter>();
  private readonly histograms = new Map<HistogramName, Histogram>();
  private readonly sources: Source[] = [];
  /** Label values that each counter has counted. */
  private readonly counted = new Map<CounterName, Set<string>>();
  /** Counts that were left out: their counter has as many series as are served. */
  private readonly leftOut = new Map<CounterName, number>();
  private readonly limits: Required<Pick<ProcessMetricsOptions, 'sourceMs' | 'mostSeries'>>;

  /** @param app label of every series */
  constructor(
    private readonly app: string,
    private readonly options: ProcessMetricsOptions = {},
  ) {
    this.limits = { sourceMs: options.sourceMs ?? SOURCE_MS, mostSeries: options.mostSeries ?? MOST_SERIES };
    this.registry.setDefaultLabels({ app });
    collectDefaultMetrics({ register: this.registry });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** Asks this source from now on; its metrics are not to be counted here as well. */
  addSource(name: string, read: MetricSource): void {
    this.sources.push({ name, read, underWay: null });
    this.begin('moon_scrape_errors_total', { source: name });
  }

  /** Serves a counter as 0 until it first counts: an increase from nothing would not be seen. */
  begin<N extends CounterName>(name: N, ...[labels]: LabelArguments<N>): void {
    this.counter(name).inc(labels ?? {}, 0);
  }

  count<N extends CounterName>(name: N, ...[labels]: LabelArguments<N>): void {
    if (this.hasRoom(name, labels ?? {})) this.counter(name).inc(labels ?? {});
  }

  /** @param ms wall time; served in seconds. Takes half a microsecond */
  time<N extends HistogramName>(name: N, ms: number, ...[labels]: LabelArguments<N>): void {
    let histogram = this.histograms.get(name);
    if (!histogram) {
      histogram = new Histogram({ ...this.configOf(name, this.registry), buckets: DURATION_BUCKETS });
      this.histograms.set(name, histogram);
    }
    histogram.observe(labels ?? {}, ms / 1_000);
  }

  /** Everything in the text format of Prometheus. */
  async text(): Promise<string> {
    const read = await Promise.all(this.sources.map((source) => this.read(source)));
    // What is read lives as long as this answer: a shard that has moved away leaves no series behind.
    const now = new Registry();
    now.setDefaultLabels({ app: this.app });
    const left = [...this.leftOut].map(([metric, counts]) => sample('moon_scrape_series_left_out', counts, { metric }));
    this.fill(now, [...read.flat(), ...left]);
    return [await this.registry.metrics(), await now.metrics()].filter((text) => text.trim() !== '').join('\n');
  }

  private fill(registry: Registry, samples: readonly Sample[]): void {
    const byName = new Map<Sample['name'], Sample[]>();
    for (const one of samples) {
      const same = byName.get(one.name);
      if (same) same.push(one);
      else byName.set(one.name, [one]);
    }
    const { mostSeries } = this.limits;
    for (const [name, all] of byName) {
      if (all.length > mostSeries)
        byName.set('moon_scrape_series_left_out', [
          ...(byName.get('moon_scrape_series_left_out') ?? []),
          sample('moon_scrape_series_left_out', all.length - mostSeries, { metric: name }),
        ]);
      const config = this.configOf(name, registry);
      const served = all.slice(0, mostSeries);
      if (METRICS[name].type === 'gauge') {
        const gauge = new Gauge(config);
        for (const { labels, value } of served) gauge.set(labels, value);
      } else {
        const counter = new Counter(config);
        for (const { labels, value } of served) counter.inc(labels, value);
      }
    }
  }

  private async read(source: Source): Promise<readonly Sample[]> {
    try {
      source.underWay ??= Promise.resolve()
        .then(source.read)
        .finally(() => (source.underWay = null));
      return await within(this.limits.sourceMs, source.underWay);
    } catch (thrown) {
      this.count('moon_scrape_errors_total', { source: source.name });
      this.options.onError?.(source.name, thrown instanceof Error ? thrown : new Error(String(thrown)));
      return [];
    }
  }

  private hasRoom(name: CounterName, labels: object): boolean {
    const series = Object.values(labels).join('\u0000');
    const counted = this.counted.get(name) ?? new Set<string>();
    this.counted.set(name, counted);
    if (counted.has(series)) return true;
    if (counted.size >= this.limits.mostSeries) {
      this.leftOut.set(name, (this.leftOut.get(name) ?? 0) + 1);
      return false;
    }
    counted.add(series);
    return true;
  }

  private counter(name: CounterName): Counter {
    let counter = this.counters.get(name);
    if (!counter) {
      counter = new Counter(this.configOf(name, this.registry));
      this.counters.set(name, counter);
    }
    return counter;
  }

  private configOf(name: keyof typeof METRICS, registry: Registry) {
    const { help, labels } = METRICS[name];
    return { name, help, labelNames: [...labels], registers: [registry] };
  }
}

/** @throws Error when it takes longer */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
