import type uPlotType from 'uplot';
import type { EmbeddedPortfolio } from '../embedded';
import { day, decimal, minute, percent, short, signed, signedPercent } from '../format';
import { Chart, hosts, percentTicks, type ChartSpec } from './chart';
import { running } from './unpack';

declare const uPlot: typeof uPlotType;

type Points = (number | null)[];

/** The charts of one portfolio that are drawn over the whole run. */
export function drawPortfolio(index: number, portfolio: EmbeddedPortfolio): void {
  const group = `run-${index}`;
  const specs: Record<string, () => ChartSpec> = {
    equity: () => equity(portfolio, group),
    underwater: () => underwater(portfolio, group),
    'rolling-sharpe': () => rolling(portfolio, group),
    exposure: () => exposure(portfolio, group),
    distribution: () => distribution(portfolio),
    weeks: () => weeks(portfolio),
  };
  for (const [kind, spec] of Object.entries(specs)) {
    for (const host of hosts(kind)) if (host.dataset.portfolio === String(index)) new Chart(host, spec()).draw();
  }
}

function equity({ curve, asset }: EmbeddedPortfolio, group: string): ChartSpec {
  const at = running(curve.at);
  return {
    data: [at, curve.equity, curve.benchmark],
    group,
    options: (colors) => ({
      series: [
        {},
        { label: 'Equity', stroke: colors.accent, fill: colors['accent-soft'], width: 1.5, points: { show: false } },
        {
          label: 'Benchmark',
          stroke: colors.second,
          width: 1.5,
          dash: [6, 4],
          spanGaps: true,
          points: { show: false },
        },
      ],
      scales: { y: { range: padded } },
      axes: [{}, { values: (_, ticks) => ticks.map(short) }],
      ms: 1,
    }),
    read: (i) => {
      const benchmark = curve.benchmark.slice(0, i + 1).findLast((value) => value !== null);
      const against = benchmark != null ? `, buy and hold ${decimal(benchmark)}` : '';
      return `${minute(at[i]!)}: equity ${decimal(curve.equity[i]!)} ${asset}${against}`;
    },
  };
}

function underwater({ underwater: { at: times, depth } }: EmbeddedPortfolio, group: string): ChartSpec {
  const at = running(times);
  return {
    data: [at, depth],
    group,
    options: (colors) => ({
      series: [
        {},
        { stroke: colors.loss, fill: colors['loss-soft'], width: 1.5, fillTo: () => 0, points: { show: false } },
      ],
      scales: { y: { range: (_, min) => [min === 0 ? -0.01 : min * 1.05, 0] } },
      axes: [{}, { values: percentTicks }],
      ms: 1,
    }),
    read: (i) => `${minute(at[i]!)}: ${percent(depth[i]!)} below the peak`,
  };
}

function rolling({ rolling: { at: times, sharpe } }: EmbeddedPortfolio, group: string): ChartSpec {
  const at = running(times);
  return {
    data: [at, sharpe],
    group,
    options: (colors) => ({
      series: [{}, { stroke: colors.accent, width: 1.5, points: { show: false } }],
      scales: { y: { range: aroundZero } },
      axes: [{}, { values: (_, ticks) => ticks.map((tick) => decimal(tick, 1)) }],
      hooks: { draw: [(plot) => zeroLine(plot, colors.muted)] },
      ms: 1,
    }),
    read: (i) => `${day(at[i]!)}: rolling Sharpe ${sharpe[i] == null ? 'undefined' : signed(sharpe[i]!)}`,
  };
}

function exposure({ rolling: { at: times, exposure: shares } }: EmbeddedPortfolio, group: string): ChartSpec {
  const at = running(times);
  return {
    data: [at, shares],
    group,
    options: (colors) => ({
      series: [
        {},
        {
          stroke: colors.second,
          fill: colors['accent-soft'],
          width: 1.5,
          points: { show: false },
          paths: uPlot.paths.stepped!({ align: -1 }),
        },
      ],
      scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
      axes: [{}, { values: percentTicks }],
      ms: 1,
    }),
    read: (i) => `${day(at[i]!)}: gross exposure ${percent(shares[i]!)} of equity`,
  };
}

function distribution({ histogram: { from, width, counts } }: EmbeddedPortfolio): ChartSpec {
  const centres = counts.map((_, i) => from + (i + 0.5) * width);
  const { losses, gains } = bySign(counts, (i) => centres[i]! < 0);
  return {
    data: [centres, losses, gains],
    options: (colors) => ({
      series: [{}, bars(colors.loss), bars(colors.gain)],
      scales: {
        x: { time: false, range: (_, min, max) => [min - width / 2, max + width / 2] },
        y: { range: (_, __, max) => [0, Math.max(1, max * 1.05)] },
      },
      axes: [{ values: percentTicks }, { values: (_, t) => t.map((v) => short(v)) }],
    }),
    read: (i) => {
      const low = from + i * width;
      return `${signedPercent(low)} to ${signedPercent(low + width)}: ${counts[i]} ${counts[i] === 1 ? 'day' : 'days'}`;
    },
  };
}

function weeks({ weeks: { at: times, pnl }, asset }: EmbeddedPortfolio): ChartSpec {
  const at = running(times);
  const { losses, gains } = bySign(pnl, (i) => pnl[i]! < 0);
  const halfWeek = 3.5 * 86_400_000;
  return {
    data: [at, losses, gains],
    options: (colors) => ({
      series: [{}, bars(colors.loss), bars(colors.gain)],
      scales: { x: { range: (_, min, max) => [min - halfWeek, max + halfWeek] }, y: { range: aroundZero } },
      axes: [{}, { values: (_, ticks) => ticks.map(short) }],
      hooks: { draw: [(plot) => zeroLine(plot, colors.muted)] },
      ms: 1,
    }),
    read: (i) => `Week from ${day(at[i]!)}: ${signed(pnl[i]!)} ${asset}`,
  };
}

const bars = (color: string): uPlotType.Series => ({
  stroke: color,
  fill: color,
  width: 0,
  points: { show: false },
  paths: uPlot.paths.bars!({ size: [0.86, 60] }),
});

function bySign(values: readonly number[], isLoss: (index: number) => boolean): { losses: Points; gains: Points } {
  return {
    losses: values.map((value, i) => (isLoss(i) ? value : null)),
    gains: values.map((value, i) => (isLoss(i) ? null : value)),
  };
}

function padded(_plot: uPlotType, min: number, max: number): [number, number] {
  const pad = (max - min) * 0.06 || Math.abs(max) * 0.01 || 1;
  return [min - pad, max + pad];
}

/** Zero stays in sight, so a sign can be told without reading the axis. */
function aroundZero(_plot: uPlotType, min: number | null, max: number | null): [number, number] {
  const [low, high] = [Math.min(min ?? 0, 0), Math.max(max ?? 0, 0)];
  const pad = (high - low) * 0.06 || 1;
  return [low - (low < 0 ? pad : 0), high + (high > 0 ? pad : 0)];
}

function zeroLine(plot: uPlotType, color: string): void {
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(0, 'y', true));
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.moveTo(bbox.left, y + 0.5);
  ctx.lineTo(bbox.left + bbox.width, y + 0.5);
  ctx.stroke();
  ctx.restore();
}
