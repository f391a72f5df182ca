import { exampleEvent } from '../../../../events/src/testing/fixtures';
import { METRICS, sample } from './catalog';
import { ProcessMetrics, type ProcessMetricsOptions } from './process-metrics';
import { countOrders, haltSamples, healthSamples, lagSamples } from './samples';
import { HealthRegistry } from '../../health/health-registry';

describe('the metrics of a process', () => {
  const open = (options?: ProcessMetricsOptions) => new ProcessMetrics('execution', options);
  const lines = async (metrics: ProcessMetrics, name: string): Promise<string[]> =>
    (await metrics.text()).split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name}_`));

  it('[NFM-2] are read when they are asked for, with the label of the application', async () => {
    const metrics = open();
    let lag = 3;
    metrics.addSource('group', () => lagSamples('consensus', { 'price.ticks': lag }));

    const labels = 'group="consensus",topic="price.ticks",app="execution"';
    expect(await lines(metrics, 'moon_group_lag_messages')).toEqual([`moon_group_lag_messages{${labels}} 3`]);
    lag = 0;
    expect(await lines(metrics, 'moon_group_lag_messages')).toEqual([`moon_group_lag_messages{${labels}} 0`]);
  });

  it('leave nothing behind of what the process has no more', async () => {
    const metrics = open();
    let shards = ['0', '1'];
    metrics.addSource('group', () => shards.map((shard) => sample('moon_shard_live', 1, { group: 'a', shard })));
    await metrics.text();
    shards = ['1'];

    expect(await lines(metrics, 'moon_shard_live')).toEqual(['moon_shard_live{group="a",shard="1",app="execution"} 1']);
  });

  it('[NFM-2] are served without the source that throws, which is counted and told', async () => {
    const told: string[] = [];
    const metrics = open({ onError: (source, { message }) => told.push(`${source}: ${message}`) });
    metrics.addSource('broken', () => {
      throw new Error('no such shard');
    });
    metrics.addSource('health', () => healthSamples(new HealthRegistry()));

    expect(await lines(metrics, 'moon_ready')).toEqual(['moon_ready{app="execution"} 0']);
    expect(await lines(metrics, 'moon_scrape_errors_total')).toEqual([
      // The answer that a source is missing from was begun before it was read.
      'moon_scrape_errors_total{source="broken",app="execution"} 2',
      'moon_scrape_errors_total{source="health",app="execution"} 0',
    ]);
    expect(told).toEqual(['broken: no such shard', 'broken: no such shard']);
  });

  it('do not wait for a source that hangs, nor ask it twice at a time', async () => {
    let asked = 0;
    const metrics = open({ sourceMs: 20 });
    metrics.addSource('store', () => {
      asked += 1;
      return new Promise(() => undefined);
    });
    metrics.addSource('health', () => healthSamples(new HealthRegistry()));

    expect(await lines(metrics, 'moon_ready')).toHaveLength(1);
    expect(await lines(metrics, 'moon_scrape_errors_total')).toContain(
      'moon_scrape_errors_total{source="store",app="execution"} 2',
    );
    expect(asked).toBe(1);
  });

  it('serve so many series of a metric and say how many they leave out', async () => {
    const metrics = open({ mostSeries: 3 });
    const topics = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`topic-${index}`, index]));
    metrics.addSource('group', () => lagSamples('consensus', topics));

    expect(await lines(metrics, 'moon_group_lag_messages')).toHaveLength(3);
    expect(await lines(metrics, 'moon_scrape_series_left_out')).toEqual([
      'moon_scrape_series_left_out{metric="moon_group_lag_messages",app="execution"} 7',
    ]);
  });

  it('time in buckets of seconds, which other processes in the same program do not share', async () => {
    const [one, other] = [open(), new ProcessMetrics('agents')];
    for (const ms of [2, 12, 300]) one.time('moon_store_append_seconds', ms, { writer: 'journal' });

    const found = await lines(one, 'moon_store_append_seconds');
    expect(found).toContain('moon_store_append_seconds_bucket{le="0.01",app="execution",writer="journal"} 1');
    expect(found).toContain('moon_store_append_seconds_count{app="execution",writer="journal"} 3');
    expect(await lines(other, 'moon_store_append_seconds')).toEqual([]);
  });

  it('contain memory, processor time and the delay of the event loop', async () => {
    const text = await open().text();
    for (const name of [
      'process_resident_memory_bytes',
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_p99_seconds',
    ])
      expect(text).toContain(`\n${name}{app="execution"} `);
  });

  it('[EXE-4] count orders that are placed, filled and refused, by stage and reason', async () => {
    const metrics = open();
    const count = countOrders(metrics);
    for (const event of [exampleEvent('trade.placed'), exampleEvent('trade.executed'), exampleEvent('trade.rejected')])
      count(event);
    count(exampleEvent('trade.rejected'));

    expect(await lines(metrics, 'moon_orders_placed_total')).toEqual(['moon_orders_placed_total{app="execution"} 1']);
    expect(await lines(metrics, 'moon_fills_total')).toEqual(['moon_fills_total{app="execution"} 1']);
    expect(await lines(metrics, 'moon_orders_rejected_total')).toEqual([
      'moon_orders_rejected_total{stage="limits",reason="max_leverage",app="execution"} 2',
    ]);
  });

  it('tell sources of halts by their kind, so that they stay few', async () => {
    const metrics = open();
    const portfolios = [[{ source: 'risk:daily_loss@main' }, { source: 'risk:drawdown' }], [{ source: 'cache' }], []];
    metrics.addSource('halts', () => haltSamples(portfolios));

    expect(await lines(metrics, 'moon_halts')).toEqual([
      'moon_halts{source="risk",app="execution"} 2',
      'moon_halts{source="cache",app="execution"} 1',
    ]);
    expect(await lines(metrics, 'moon_halted_portfolios')).toEqual(['moon_halted_portfolios{app="execution"} 2']);
  });
});

describe('the catalog of metrics', () => {
  it('[NFM-2] names them as Prometheus wants it: counters end in _total, durations in _seconds, labels are few', () => {
    for (const [name, { type, labels, help }] of Object.entries(METRICS)) {
      expect(name).toMatch(/^moon_[a-z]+(_[a-z]+)*$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      if (type === 'histogram') expect(name).toMatch(/_seconds$/);
      expect(labels.length).toBeLessThanOrEqual(2);
      expect(labels.filter((label) => /id$|^(instance|job|le|app|portfolio|key|event)$/.test(label))).toEqual([]);
      expect(help).toMatch(/^[A-Z1].*\.$/);
    }
  });
});
