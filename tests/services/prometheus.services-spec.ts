import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { METRICS } from '@moon/infra';
import { PlatformProcess } from '../support/platform';
import { root } from '../workshop/repository';
import { configOf, Prometheus, promtool } from './prometheus';
import { eventually } from './servers';

const RULES = readdirSync(join(root, 'deploy/prometheus/rules')).map((name) => `deploy/prometheus/rules/${name}`);

describe('the rules, as Prometheus reads them', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'moon-promtool-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('[NFM-2] are loaded by the configuration of the deployment', async () => {
    expect(await promtool(['check', 'config', 'deploy/prometheus/prometheus.yml'])).toContain('SUCCESS');
    const config = join(folder, 'prometheus.yml');
    writeFileSync(config, configOf());
    const said = await promtool(['check', 'config', config]);
    for (const path of RULES) expect(said).toContain(path.split('/').pop());
    expect(await promtool(['check', 'rules', ...RULES])).not.toContain('FAILED');
  });

  it.each(['availability', 'error-budget'])(
    '[NFA-3] burn the budget at the downtime that %s.test.yml names, and are silent below it and at a start',
    async (name) => {
      expect(await promtool(['test', 'rules', `deploy/prometheus/tests/${name}.test.yml`])).toContain('SUCCESS');
    },
  );

  it('[NFM-2] fire for the cause of each alert, and for nothing while all is well', async () => {
    expect(await promtool(['test', 'rules', 'deploy/prometheus/tests/alerts.test.yml'])).toContain('SUCCESS');
  });
});

describe('a platform that Prometheus scrapes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'moon-prometheus-'));
  const open: Array<() => Promise<void>> = [];
  let platform: PlatformProcess;
  let prometheus: Prometheus;
  let address: string;

  beforeAll(async () => {
    platform = new PlatformProcess(['--data-dir', join(folder, 'data'), '--port', '0']);
    open.push(() => platform.kill());
    address = await platform.ready();
    const config = configOf({ everySeconds: 1, moon: new URL(address).host });
    prometheus = await Prometheus.start(join(folder, 'prometheus'), config);
    open.push(() => prometheus.stop());
  });
  afterAll(async () => {
    for (const close of open) await close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('[NFM-2] is up there with its shard, its agents, its memory, and nothing that promtool finds fault with', async () => {
    const served = await eventually(
      () => prometheus.query('{job="moon",app="standalone"}'),
      (found) => 'moon_agent_lag_seconds' in found && 'moon_store_append_seconds_count' in found,
    );
    expect(served).toMatchObject({ moon_ready: 1, moon_shard_live: 1, moon_shards_expected: 1 });
    for (const name of ['process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds', 'moon_shard_seq'])
      expect(served[name]).toBeGreaterThan(0);
    const ours = Object.keys(served).filter((name) => name.startsWith('moon_'));
    expect(ours.filter((name) => !(name.replace(/_(bucket|sum|count)$/, '') in METRICS))).toEqual([]);
    expect(await prometheus.query('moon_agent_lag_seconds', 'agent')).toMatchObject({
      'agent/chart': expect.any(Number) as number,
    });
    expect(await prometheus.query('moon_scrape_errors_total > 0', 'source')).toEqual({});

    const text = await (await fetch(`${address}/metrics`)).text();
    const faults = await promtool(['check', 'metrics'], text).catch((error: { stderr: string }) => error.stderr);
    expect(faults.split('\n').filter((line) => line.includes('moon_'))).toEqual([]);
  });

  it('[NFA-3] is available there, and after a kill -9 it is not: its alerts are pending, then fire', async () => {
    const before = await eventually(
      () => prometheus.query('moon:unavailable or moon:shards_serving'),
      (found) => Object.keys(found).length === 2,
    );
    expect(before).toEqual({ 'moon:unavailable': 0, 'moon:shards_serving': 1 });
    expect(Object.values(await prometheus.alerts())).not.toContain('firing');

    await platform.kill();

    const first = await eventually(
      () => prometheus.alerts(),
      (found) => 'MoonProcessDown' in found,
    );
    expect(first.MoonProcessDown).toBe('pending');
    expect(
      await eventually(
        () => prometheus.query('moon:unavailable'),
        (found) => found['moon:unavailable'] === 1,
      ),
    ).toEqual({ 'moon:unavailable': 1 });
    const names = ['MoonProcessDown', 'MoonShardWithoutOwner', 'MoonErrorBudgetBurnsFast'];
    const last = await eventually(
      () => prometheus.alerts(),
      (found) => names.every((name) => found[name] === 'firing'),
      150_000,
    );
    expect(last).toMatchObject(Object.fromEntries(names.map((name) => [name, 'firing'])));
  });
});
