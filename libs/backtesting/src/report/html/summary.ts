import type { PortfolioReport, BacktestReport } from '../build-report';
import { HEADLINES, show } from '../figures';
import { day, decimal, percent, plural, signedPercent } from '../format';
import { each, html, nothing, type Html } from './markup';
import { figureValue, shortRun, term } from './parts';

/** Title, what was run on what, and whether it is whole. */
export function header({ run, portfolios }: BacktestReport): Html {
  const { firstAt, lastAt, instruments } = run.data;
  const badge =
    run.status === 'complete'
      ? html`<span class="badge complete">complete</span>`
      : html`<span class="badge partly">PARTIAL</span>`;
  const choose = html`<label class="choice"
    ><span>Portfolio</span>
    <select id="portfolio">
      ${each(portfolios, ({ recording }, i) => html`<option value="${i}">${recording.portfolio}</option>`)}
    </select></label
  >`;
  return html`<header class="top">
    <p class="eyebrow">Moon EDA · backtest report</p>
    <h1>${run.name}</h1>
    <p class="lead">${instruments.join(', ')} · ${day(firstAt)} to ${day(lastAt)} (UTC) · ${played(run)} · ${badge}</p>
    ${run.status === 'partial' ? partialNote(run.statusReason) : nothing}
    <div class="top-row">
      ${portfolios.length > 1 ? choose : html`<span></span>`}
      <button type="button" id="theme" hidden>Theme</button>
    </div>
  </header>`;
}

/** What was played, bars or ticks or both; what there was none of is left out. */
function played({ bars, ticks }: BacktestReport['run']): string {
  const parts = [
    ...(bars > 0 || ticks === 0 ? [plural(bars, 'bar')] : []),
    ...(ticks > 0 ? [plural(ticks, 'tick')] : []),
  ];
  return parts.join(', ');
}

const partialNote = (reason: string | null): Html =>
  html`<div class="partial" role="note">
    <strong>Partial result: this run did not reach the end of its range.</strong>
    ${reason ?? 'No reason was recorded.'} Every figure below covers only what was played until then; do not compare it
    with the figures of a whole run.
  </div>`;

/** The figures that one looks for first, and the run in one sentence. */
export function headlines({ metrics, recording }: PortfolioReport): Html {
  return html`<p>${inWords({ metrics, recording })}</p>
    ${shortRun(metrics)}
    <dl class="cards">
      ${each(
        HEADLINES,
        (figure) =>
          html`<div>
            <dt>${term(figure.key, figure.label)}</dt>
            <dd>${figureValue(show(metrics, figure))}</dd>
          </div>`,
      )}
    </dl>
    ${openPositions(recording)}`;
}

function inWords({ metrics, recording }: PortfolioReport): string {
  const { totalReturn, benchmark, trades, maxDrawdown } = metrics;
  const result = totalReturn === null ? 'has no total return' : `returned ${signedPercent(totalReturn)}`;
  const against =
    benchmark === null
      ? ''
      : `, where buying and holding ${benchmark.instrument} returned ${signedPercent(benchmark.totalReturn)}`;
  const fall = maxDrawdown === null ? '' : ` Its deepest fall was ${percent(maxDrawdown)}.`;
  return `Portfolio ${recording.portfolio} ${result} in ${plural(metrics.days, 'day')} with ${plural(trades, 'closed trade')}${against}.${fall}`;
}

function openPositions({ open, settlementAsset }: PortfolioReport['recording']): Html {
  if (open.length === 0) return nothing;
  const held = open
    .map(({ side, quantity, instrument, unrealisedPnl }) => {
      const result = `${Number(unrealisedPnl) > 0 ? '+' : ''}${decimal(Number(unrealisedPnl))} ${settlementAsset}`;
      return `${side} ${quantity} ${instrument} (${result}, unrealised)`;
    })
    .join('; ');
  return html`<p class="why">Still held at the end: ${held}.</p>`;
}
