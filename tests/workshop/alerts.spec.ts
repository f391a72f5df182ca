import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { METRICS, NODE_METRICS } from '@moon/infra';
import { parse } from 'yaml';
import { labelsIn, metricsIn } from './promql';
import { readJson, readText, root } from './repository';

interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  labels?: { severity?: string };
  annotations?: { summary?: string; description?: string; runbook_url?: string };
}
interface Panel {
  title: string;
  type: string;
  targets?: { expr: string; legendFormat?: string }[];
}

const RULES = 'deploy/prometheus/rules';
const DASHBOARDS = 'deploy/grafana/dashboards';
const filesOf = (folder: string): string[] => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);

const rules = filesOf(RULES).flatMap((path) =>
  (parse(readText(path)) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules),
);
const alerts = rules.filter(({ alert }) => alert !== undefined);
const panels = filesOf(DASHBOARDS).flatMap((path) => readJson<{ panels: Panel[] }>(path).panels);
const targets = panels.flatMap((panel) => panel.targets ?? []);
const recorded = rules.flatMap(({ record }) => (record === undefined ? [] : [record]));

/** What Prometheus itself has, and what each series of a scrape has. */
const PROMETHEUS = { metrics: ['up', 'ALERTS'], labels: ['job', 'instance', 'app', 'le', 'alertname', 'alertstate'] };
const served = Object.entries(METRICS).flatMap(([name, { type }]) =>
  type === 'histogram' ? ['_bucket', '_count', '_sum'].map((end) => name + end) : [name],
);
const known = new Set([...served, ...Object.keys(NODE_METRICS), ...recorded, ...PROMETHEUS.metrics]);
const knownLabels = new Set([...Object.values(METRICS).flatMap(({ labels }) => [...labels]), ...PROMETHEUS.labels]);

/** As GitHub makes anchors of headings. */
const anchors = (markdown: string): string[] =>
  [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

describe('alert rules and dashboards', () => {
  it('[NFM-2] name only metrics that the code serves or a rule records', () => {
    const expressions = [...rules.map(({ expr }) => expr), ...targets.map(({ expr }) => expr)];
    const unknown = expressions.flatMap((expr) =>
      metricsIn(expr)
        .filter((name) => !known.has(name))
        .map((name) => `${name} in ${expr}`),
    );

    expect(alerts.length).toBeGreaterThanOrEqual(20);
    expect(targets.length).toBeGreaterThanOrEqual(30);
    expect(unknown).toEqual([]);
    expect(expressions.flatMap(labelsIn).filter((label) => !knownLabels.has(label))).toEqual([]);
  });

  it('would be caught with a metric or a label that nobody serves', () => {
    expect(metricsIn('sum by (group) (rate(moon_ticks_lost_total{job="moon"}[5m])) / on () moon:x')).toEqual([
      'moon_ticks_lost_total',
      'moon:x',
    ]);
    expect(labelsIn('sum by (grp) (up{joob="moon"})')).toEqual(['grp', 'joob']);
    expect(() => metricsIn('sum by (group (up)')).toThrow('no PromQL');
  });

  it('[NFM-2] use every metric of readiness, shards and lag, and each recorded one', () => {
    const used = new Set([...rules, ...targets].flatMap(({ expr }) => metricsIn(expr)));
    const wanted = [
      'moon_ready',
      'moon_shard_live',
      'moon_shards_expected',
      'moon_group_lag_messages',
      'moon_agent_lag_seconds',
    ];
    expect([...wanted, ...recorded].filter((name) => !used.has(name))).toEqual([]);
  });

  it('name labels in legends that their metrics have', () => {
    const named = targets.flatMap(({ legendFormat = '' }) => [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)]);
    expect(named.map(([, label]) => label!).filter((label) => !knownLabels.has(label))).toEqual([]);
    expect(panels.filter(({ type, targets: own = [] }) => type !== 'row' && own.length === 0)).toEqual([]);
  });
});

describe('every alert', () => {
  const runbook = 'docs/runbooks/alerts.md';

  it('[NFM-3] has a severity, says what it means, and points to a section of a runbook that exists', () => {
    const sections = anchors(readText(runbook));
    for (const { alert, labels, annotations } of alerts) {
      expect(labels?.severity).toMatch(/^(critical|warning)$/);
      expect(annotations?.summary).toMatch(/\w{3}/);
      expect(annotations?.description).toMatch(/\w{3}.*[.%]$/s);
      expect(annotations?.runbook_url).toBe(`${runbook}#${alert!.toLowerCase()}`);
      expect(sections).toContain(alert!.toLowerCase());
    }
  });

  it('has one name, and is tried in a unit test of the rules', () => {
    const names = alerts.map(({ alert }) => alert!);
    const tried = filesOf('deploy/prometheus/tests').map(readText).join('\n');

    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !tried.includes(`"${name}"`))).toEqual([]);
  });

  it('is the only kind of section that the runbook has but for what up means', () => {
    const titles = [...readText(runbook).matchAll(/^## (.*)$/gm)].map(([, title]) => title!);
    const names = alerts.map(({ alert }) => alert!);
    expect(titles.filter((title) => !names.includes(title))).toEqual(['What up means']);
  });

  it('links only to sections that exist', () => {
    const pages = {
      'distributed.md': anchors(readText('docs/runbooks/distributed.md')),
      '': anchors(readText(runbook)),
    };
    const links = [...readText(runbook).matchAll(/\]\((distributed\.md|)#([\w-]+)\)/g)];
    expect(links.length).toBeGreaterThan(15);
    expect(links.filter(([, page, anchor]) => !pages[page as ''].includes(anchor!)).map(([link]) => link)).toEqual([]);
  });
});

describe('the error budget', () => {
  it('[NFA-3] is what 99.9 % of 30 days leaves, and burns at 14.4, 6 and 1 over pairs of windows', () => {
    const exprOf = (name: string): string => rules.find(({ record, alert }) => (record ?? alert) === name)!.expr;

    expect(exprOf('moon:error_budget_left:ratio')).toContain('0.001 * 30 * 86400');
    expect(exprOf('MoonErrorBudgetBurnsFast')).toMatch(/ratio_1h > 14\.4 \* 0\.001 and .*ratio_5m > 14\.4 \* 0\.001/);
    expect(exprOf('MoonErrorBudgetBurns')).toMatch(/ratio_6h > 6 \* 0\.001 and .*ratio_30m > 6 \* 0\.001/);
    expect(exprOf('MoonErrorBudgetBurnsSlowly')).toMatch(/ratio_3d > 0\.001 and .*ratio_6h > 0\.001/);
  });

  it('is summed at the interval that its arithmetic stands on', () => {
    const { groups } = parse(readText(`${RULES}/availability.yml`)) as {
      groups: { name: string; interval?: string }[];
    };
    expect(groups.find(({ name }) => name === 'moon-availability')!.interval).toBe('5s');
    const seconds: Record<string, number> = { '5m': 300, '30m': 1_800, '1h': 3_600, '6h': 21_600, '3d': 259_200 };
    for (const { record, expr } of rules) {
      const [, window] = /^moon:unavailable:ratio_(\w+)$/.exec(record ?? '') ?? [];
      if (window) expect(expr).toBe(`sum_over_time(moon:unavailable[${window}]) * 5 / ${seconds[window]}`);
    }
  });
});
