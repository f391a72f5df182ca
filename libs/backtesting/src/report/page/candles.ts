import type uPlotType from 'uplot';
import type { EmbeddedCandles } from '../embedded';
import { minute, price, short } from '../format';
import { Chart, hosts, type Palette } from './chart';
import type { TradeList } from './trades';
import { running } from './unpack';

/** Above this many trades in sight a trade is a dot: arrows would cover the prices. */
const ARROWS_AT_MOST = 250;
const nothing: uPlotType.Series = { paths: () => null, points: { show: false } };

/** Candles with the trades on them; `show` brings one trade into sight. */
export class TradesOnCandles {
  private readonly charts = new Map<string, { chart: Chart; intervalMs: number; host: HTMLElement }>();

  constructor(candles: readonly EmbeddedCandles[], trades: TradeList, portfolio: number) {
    for (const host of hosts('candles')) {
      if (host.dataset.portfolio !== String(portfolio)) continue;
      const columns = candles.find(({ instrument }) => instrument === host.dataset.instrument);
      if (columns === undefined) continue;
      const chart = new Chart(host, spec(columns, trades));
      chart.draw();
      this.charts.set(columns.instrument, { chart, intervalMs: columns.intervalMs, host });
    }
  }

  has(instrument: string): boolean {
    return this.charts.has(instrument);
  }

  show(instrument: string, from: number, to: number): void {
    const found = this.charts.get(instrument);
    if (found === undefined) return;
    const margin = Math.max((to - from) * 0.5, found.intervalMs * 8);
    found.chart.show(from - margin, to + margin);
    found.host.scrollIntoView({ block: 'center' });
    found.host.querySelector<HTMLElement>('.plot')?.focus({ preventScroll: true });
  }
}

function spec({ instrument, at: times, open, high, low, close }: EmbeddedCandles, trades: TradeList) {
  const at = running(times);
  const own = trades.ofInstrument(instrument);
  return {
    data: [at, low, high] as uPlotType.AlignedData,
    options: (colors: Palette) => ({
      series: [{}, nothing, nothing],
      scales: { y: { range: (_: uPlotType, min: number, max: number): [number, number] => padded(min, max) } },
      axes: [{}, { values: (_: uPlotType, ticks: number[]) => ticks.map(short) }] as [uPlotType.Axis, uPlotType.Axis],
      hooks: {
        draw: [
          (plot: uPlotType) => {
            clipped(plot, () => {
              drawCandles(plot, { at, open, high, low, close }, colors);
              drawTrades(plot, trades, own, colors);
            });
          },
        ],
      },
      ms: 1 as const,
    }),
    read: (i: number) =>
      `${minute(at[i]!)}: open ${price(open[i]!)}, high ${price(high[i]!)}, low ${price(low[i]!)}, close ${price(close[i]!)}`,
  };
}

function padded(min: number, max: number): [number, number] {
  const pad = (max - min) * 0.08 || Math.abs(max) * 0.001 || 1;
  return [min - pad, max + pad];
}

function clipped(plot: uPlotType, paint: () => void): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  paint();
  ctx.restore();
}

type Bars = { at: number[]; open: number[]; high: number[]; low: number[]; close: number[] };

function drawCandles(plot: uPlotType, { at, open, high, low, close }: Bars, colors: Palette): void {
  const { ctx, bbox } = plot;
  const [from, to] = plot.series[0]!.idxs ?? [0, at.length - 1];
  const count = Math.max(1, to - from);
  const bodyWidth = Math.max(1, Math.min(14 * devicePixelRatio, (bbox.width / count) * 0.7));
  const y = (value: number) => plot.valToPos(value, 'y', true);
  for (const isRise of [true, false]) {
    ctx.fillStyle = isRise ? colors.gain : colors.loss;
    for (let i = from; i <= to; i += 1) {
      if (close[i]! >= open[i]! !== isRise) continue;
      const x = plot.valToPos(at[i]!, 'x', true);
      const [top, bottom] = [y(Math.max(open[i]!, close[i]!)), y(Math.min(open[i]!, close[i]!))];
      ctx.fillRect(x - 0.5, y(high[i]!), 1, Math.max(1, y(low[i]!) - y(high[i]!)));
      ctx.fillRect(x - bodyWidth / 2, top, bodyWidth, Math.max(1, bottom - top));
    }
  }
}

/** Entries are triangles (up = long, down = short), exits are squares; a line joins the two in the colour of the result. */
function drawTrades(plot: uPlotType, trades: TradeList, own: readonly number[], colors: Palette): void {
  const { ctx } = plot;
  const { min, max } = plot.scales.x!;
  if (min == null || max == null) return;
  const seen = own.filter((trade) => trades.closedAt[trade]! >= min && trades.openedAt[trade]! <= max);
  const position = (at: number, value: number): [number, number] => [
    plot.valToPos(at, 'x', true),
    plot.valToPos(value, 'y', true),
  ];
  const { columns } = trades;
  const unit = devicePixelRatio;
  if (seen.length > ARROWS_AT_MOST) {
    for (const trade of seen) {
      const [x, y] = position(trades.openedAt[trade]!, columns.entryPrice[trade]!);
      ctx.fillStyle = columns.isLong[trade] === 1 ? colors.accent : colors.second;
      ctx.fillRect(x - unit, y - unit, 2 * unit, 2 * unit);
    }
    return;
  }
  for (const trade of seen) {
    const entry = position(trades.openedAt[trade]!, columns.entryPrice[trade]!);
    const exit = position(trades.closedAt[trade]!, columns.exitPrice[trade]!);
    const result = columns.netPnl[trade]! >= 0 ? colors.gain : colors.loss;
    ctx.strokeStyle = result;
    ctx.lineWidth = 1.5 * unit;
    ctx.setLineDash([4 * unit, 3 * unit]);
    ctx.beginPath();
    ctx.moveTo(...entry);
    ctx.lineTo(...exit);
    ctx.stroke();
    ctx.setLineDash([]);
    triangle(ctx, entry, (columns.isLong[trade] === 1 ? 1 : -1) * 7 * unit, {
      fill: columns.isLong[trade] === 1 ? colors.accent : colors.second,
      edge: colors.text,
    });
    ctx.fillStyle = result;
    ctx.strokeStyle = colors.text;
    ctx.lineWidth = unit;
    ctx.fillRect(exit[0] - 3 * unit, exit[1] - 3 * unit, 6 * unit, 6 * unit);
    ctx.strokeRect(exit[0] - 3 * unit, exit[1] - 3 * unit, 6 * unit, 6 * unit);
  }
}

function triangle(
  ctx: CanvasRenderingContext2D,
  [x, y]: [number, number],
  size: number,
  { fill, edge }: { fill: string; edge: string },
): void {
  ctx.beginPath();
  ctx.moveTo(x, y - size);
  ctx.lineTo(x - size * 0.8, y + size * 0.6);
  ctx.lineTo(x + size * 0.8, y + size * 0.6);
  ctx.closePath();
  ctx.fillStyle = fill;
  ctx.fill();
  ctx.strokeStyle = edge;
  ctx.lineWidth = devicePixelRatio;
  ctx.stroke();
}
