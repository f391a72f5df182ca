import type { PortfolioMetrics } from '@moon/domain';
import type { ShownFigure } from '../figures';
import { decimal, plural } from '../format';
import { each, html, nothing, type Html, type Part } from './markup';

/** A term with its definition on hover, focus and tap; the definition itself stands once at the end of the page. */
export const term = (key: string, label: string): Html =>
  html`<button type="button" class="term" data-tip aria-describedby="def-${key}">${label}</button>`;

export function figureValue({ text, exact, tone, reason }: ShownFigure): Html {
  const value = tone === null ? html`${text}` : html`<span class="${tone}">${text}</span>`;
  if (reason !== null) return html`${value} <small class="why">${reason}</small>`;
  return exact === null ? value : html`<span title="${exact}">${value}</span>`;
}

/** Days below which a figure per year is mostly chance, so that the page says so. */
const FEW_DAYS = 30;

/** A caveat where figures per year rest on few days. */
export const shortRun = ({ days }: Pick<PortfolioMetrics, 'days'>): Html =>
  days >= FEW_DAYS
    ? nothing
    : html`<p class="few-days" role="note">
        CAGR, Calmar and Sharpe are figures per year, and only ${plural(days, 'day')} ${days === 1 ? 'stands' : 'stand'}
        behind them: with fewer than ${FEW_DAYS} days they say little.
      </p>`;

export interface Column<Row> {
  label: string;
  isNumber?: boolean;
  /** Left out on a narrow screen. */
  isWide?: boolean;
  cell: (row: Row) => Part;
}

/** A table whose first column names its rows. */
export function table<Row>(caption: string, rows: readonly Row[], columns: readonly Column<Row>[]): Html {
  const classOf = ({ isNumber = false, isWide = false }: Column<Row>) =>
    html`class="${isNumber ? 'number' : ''}${isWide ? ' wide' : ''}"`;
  const line = (row: Row) =>
    each(columns, (column, i) =>
      i === 0
        ? html`<th scope="row" ${classOf(column)}>${column.cell(row)}</th>`
        : html`<td ${classOf(column)}>${column.cell(row)}</td>`,
    );
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
    <table>
      <caption class="visually-hidden">
        ${caption}
      </caption>
      <thead>
        <tr>
          ${each(columns, (column) => html`<th scope="col" ${classOf(column)}>${column.label}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${each(
          rows,
          (row) =>
            html`<tr>
              ${line(row)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

export interface LegendKey {
  color: 'accent' | 'second' | 'gain' | 'loss' | 'muted';
  /** What the chart draws it as. */
  mark: 'line' | 'dashed' | 'dot' | 'ring' | 'up' | 'down' | 'square';
  label: string;
}

export interface ChartPart {
  kind: string;
  portfolio?: number;
  instrument?: string;
  title: string;
  /** What the chart shows, in words with figures: its text alternative. */
  summary: Part;
  legend?: readonly LegendKey[];
  heightPx?: number;
  /** The same data as a table, folded away. */
  data?: Html;
}

/** A place where the page draws a chart, with its text alternative and its data as a table. */
export function chart({ kind, portfolio, instrument, title, summary, legend = [], heightPx, data }: ChartPart): Html {
  const keys = each(
    legend,
    ({ color, mark, label }) => html`<li class="k-${color}"><i class="${mark}"></i>${label}</li>`,
  );
  return html`<figure>
    <figcaption>
      <h3>${title}</h3>
      <p>${summary}</p>
    </figcaption>
    <div
      data-chart="${kind}"
      data-portfolio="${portfolio ?? ''}"
      data-instrument="${instrument ?? ''}"
      data-height="${heightPx ?? 260}"
      data-label="${title}"
    ></div>
    ${
      legend.length === 0
        ? nothing
        : html`<ul class="legend">
            ${keys}
          </ul>`
    }
    ${
      data === undefined
        ? nothing
        : html`<details class="screen-only">
            <summary>The same as a table</summary>
            ${data}
          </details>`
    }
  </figure>`;
}

/** Names and values side by side. */
export const facts = (entries: readonly (readonly [name: string, value: Part])[]): Html =>
  html`<dl class="facts">
    ${each(
      entries,
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;

/** Counts by name as a table, the largest first. */
export function counts(caption: string, heading: string, byName: Record<string, number>): Html {
  const rows = Object.entries(byName).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return table(caption, rows, [
    { label: heading, cell: ([name]) => name },
    { label: 'Count', isNumber: true, cell: ([, count]) => decimal(count, 0) },
  ]);
}
