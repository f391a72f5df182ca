import type uPlotType from 'uplot';
import { percent } from '../format';
import { all, button, h } from './dom';

declare const uPlot: typeof uPlotType;

export const PALETTE = [
  'text',
  'muted',
  'line',
  'accent',
  'gain',
  'loss',
  'second',
  'accent-soft',
  'loss-soft',
] as const;
export type Palette = Record<(typeof PALETTE)[number], string>;

export interface ChartSpec {
  data: uPlotType.AlignedData;
  /** Charts of one group show the same time: they zoom and point together. */
  group?: string;
  /** Options for the colours in force; size, cursor and fonts are the frame's. */
  options: (colors: Palette) => Pick<uPlotType.Options, 'series' | 'scales'> & {
    axes: [uPlotType.Axis, ...uPlotType.Axis[]];
    hooks?: uPlotType.Options['hooks'];
    ms?: 1;
  };
  /** What the reader is told about the point under the cursor. */
  read: (index: number) => string;
}

const DAY_MS = 86_400_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Labels of a time axis, UTC: what changes from tick to tick above, what stays below it where it changes. */
export function timeTicks(_plot: uPlotType, ticks: number[], _axis: number, _space: number, step: number): string[] {
  let shown = '';
  return ticks.map((tick) => {
    const at = new Date(tick);
    const month = MONTHS[at.getUTCMonth()]!;
    const [above, below] =
      step >= 364 * DAY_MS
        ? [String(at.getUTCFullYear()), '']
        : step >= 27 * DAY_MS
          ? [month, String(at.getUTCFullYear())]
          : step >= DAY_MS
            ? [`${at.getUTCDate()} ${month}`, String(at.getUTCFullYear())]
            : [
                at.toISOString().slice(11, step >= 60_000 ? 16 : 19),
                `${at.getUTCDate()} ${month} ${at.getUTCFullYear()}`,
              ];
    const label = below === shown ? above : `${above}\n${below}`;
    shown = below;
    return label;
  });
}

/** Shares as per cent with as many digits as it takes to tell two ticks apart. */
export function percentTicks(_plot: uPlotType, ticks: number[], _axis: number, _space: number, step: number): string[] {
  const digits = Math.max(0, -Math.floor(Math.log10(step * 100) + 1e-9));
  return ticks.map((tick) => percent(tick, digits));
}

/** Width that fits A4 upright within the margins of the print style. */
const PRINT_WIDTH_PX = 680;
const charts: Chart[] = [];
let isPrinting = false;

/** One chart: the plot, buttons to zoom, a line that reads the point out, and the keyboard. */
export class Chart {
  private plot: uPlotType | null = null;
  private readonly frame = h('div', { class: 'plot', tabindex: 0, role: 'group', 'aria-roledescription': 'chart' });
  private readonly readout = h('output', { class: 'readout' });

  constructor(
    private readonly host: HTMLElement,
    private readonly spec: ChartSpec,
  ) {
    const label = host.dataset.label ?? 'Chart';
    this.frame.setAttribute('aria-label', `${label}. Left and right move the cursor, plus and minus zoom, 0 resets.`);
    const zoom = (text: string, name: string, act: () => void) =>
      button(text, { 'aria-label': `${name}: ${label}`, title: name }, act);
    const buttons = h(
      'div',
      { class: 'chart-buttons' },
      zoom('‹', 'Earlier', () => this.pan(-0.5)),
      zoom('+', 'Zoom in', () => this.zoom(0.5)),
      zoom('−', 'Zoom out', () => this.zoom(2)),
      zoom('›', 'Later', () => this.pan(0.5)),
      zoom('Reset', 'Reset to the whole range', () => this.reset()),
    );
    host.append(h('div', { class: 'chart-bar' }, this.readout, buttons), this.frame);
    this.frame.addEventListener('keydown', (event) => this.onKey(event));
    new ResizeObserver(() => this.fit()).observe(this.frame);
    charts.push(this);
  }

  /** Draws afresh in the colours in force; keeps the range that was zoomed to. Nothing while it is hidden. */
  draw(): void {
    const width = this.width();
    if (width === 0) return;
    const kept = this.plot === null ? null : this.range();
    this.plot?.destroy();
    const colors = readPalette();
    const { axes, hooks = {}, ...rest } = this.spec.options(colors);
    const isTime = rest.ms === 1;
    const font = '12px system-ui, sans-serif';
    const [x, ...ys] = axes.map((axis) => ({
      stroke: colors.muted,
      font,
      grid: { stroke: colors.line, width: 1 },
      ticks: { stroke: colors.line, width: 1, size: 4 },
      ...axis,
    }));
    const { group } = this.spec;
    const options: uPlotType.Options = {
      ...rest,
      width,
      height: this.height(),
      // Half of the longest label of a time axis, which may stand at the very end.
      padding: [null, isTime ? 40 : null, null, null],
      legend: { show: false },
      tzDate: (at) => uPlot.tzDate(new Date(at), 'Etc/UTC'),
      cursor: {
        y: false,
        drag: { x: true, y: false },
        ...(group !== undefined && { sync: { key: group, scales: ['x', null] } }),
      },
      axes: [{ ...(isTime && { values: timeTicks }), ...x! }, ...ys.map((axis) => ({ size: 62, ...axis }))],
      hooks: { ...hooks, setCursor: [(plot) => this.say(plot)] },
    };
    this.plot = new uPlot(options, this.spec.data, this.frame);
    if (kept !== null) this.plot.setScale('x', kept);
    if (this.readout.textContent === '') this.sayLast();
  }

  /** Shows a stretch of the x axis, in every chart of the group. */
  show(from: number, to: number): void {
    const { group } = this.spec;
    const limits = this.whole();
    const [min, max] = [Math.max(limits.min, from), Math.min(limits.max, to)];
    const members = group === undefined ? [this] : charts.filter((chart) => chart.spec.group === group);
    for (const { plot } of members) plot?.setScale('x', { min, max });
  }

  private width(): number {
    return isPrinting && this.frame.clientWidth > 0 ? PRINT_WIDTH_PX : this.frame.clientWidth;
  }

  private height(): number {
    const wanted = Number(this.host.dataset.height ?? 260);
    return this.frame.clientWidth < 480 ? Math.min(wanted, 240) : wanted;
  }

  private fit(): void {
    if (this.plot === null) this.draw();
    else if (this.width() > 0) this.plot.setSize({ width: this.width(), height: this.height() });
  }

  private whole(): { min: number; max: number } {
    const xs = this.spec.data[0];
    return { min: xs[0] ?? 0, max: xs[xs.length - 1] ?? 0 };
  }

  private range(): { min: number; max: number } {
    const { min, max } = this.plot?.scales.x ?? {};
    return min == null || max == null ? this.whole() : { min, max };
  }

  private zoom(factor: number): void {
    const { min, max } = this.range();
    const left = this.plot?.cursor.left ?? -1;
    const centre = left >= 0 && this.plot !== null ? this.plot.posToVal(left, 'x') : (min + max) / 2;
    this.show(centre - (centre - min) * factor, centre + (max - centre) * factor);
  }

  private pan(share: number): void {
    const { min, max } = this.range();
    const limits = this.whole();
    const step = Math.min(Math.max((max - min) * share, limits.min - min), limits.max - max);
    this.show(min + step, max + step);
  }

  private reset(): void {
    const { min, max } = this.whole();
    this.show(min, max);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const actions: Record<string, () => void> = {
      ArrowLeft: () => this.step(event.shiftKey ? -20 : -1),
      ArrowRight: () => this.step(event.shiftKey ? 20 : 1),
      '+': () => this.zoom(0.5),
      '-': () => this.zoom(2),
      0: () => this.reset(),
    };
    const act = actions[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  private step(by: number): void {
    const { plot } = this;
    if (plot === null) return;
    const [from, to] = plot.series[0]!.idxs ?? [0, this.spec.data[0].length - 1];
    const index = Math.min(to, Math.max(from, (plot.cursor.idx ?? from) + by));
    plot.setCursor({ left: plot.valToPos(this.spec.data[0][index]!, 'x'), top: 0 });
  }

  private say(plot: uPlotType): void {
    const { idx } = plot.cursor;
    if (idx == null) this.sayLast();
    else this.readout.textContent = this.spec.read(idx);
  }

  /** While nothing is pointed at, the last point is told. */
  private sayLast(): void {
    const last = this.spec.data[0].length - 1;
    this.readout.textContent = last < 0 ? 'Nothing to draw.' : this.spec.read(last);
  }
}

function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(PALETTE.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])) as Palette;
}

export function redrawAll(): void {
  for (const chart of charts) chart.draw();
}

/** Paper is white whatever the screen is, and of another width. */
export function drawForPrint(printing: boolean): void {
  isPrinting = printing;
  redrawAll();
}

/** Where a chart of that kind goes; a report may leave one out, e.g. candles that the run did not keep. */
export const hosts = (kind: string): HTMLElement[] => all(`[data-chart="${kind}"]`);
