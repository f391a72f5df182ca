import type { BacktestReport } from '../build-report';
import { decimal, duration, minute, words } from '../format';
import type { DataQuality, InstrumentQuality } from '../report-input';
import { each, html, nothing, type Html } from './markup';
import { counts, facts, table } from './parts';
import { refusalsPart } from './trading';

/** What was found wrong with the data, and what was done about each finding. */
export function dataQualityPart(quality: DataQuality): Html {
  const gaps = quality.instruments.flatMap(({ instrument, longestGaps }) =>
    longestGaps.map((gap) => ({ instrument, ...gap })),
  );
  return html`${table('Data by instrument', quality.instruments, [
      { label: 'Instrument', cell: ({ instrument }) => instrument },
      { label: 'Rows', isNumber: true, cell: ({ rows }) => decimal(rows, 0) },
      { label: 'First', isWide: true, cell: ({ firstAt }) => minute(firstAt) },
      { label: 'Last', isWide: true, cell: ({ lastAt }) => minute(lastAt) },
      { label: 'Interval', isWide: true, cell: ({ intervalMs }) => (intervalMs === null ? '—' : duration(intervalMs)) },
      { label: 'Gaps', isNumber: true, cell: ({ gapCount }) => decimal(gapCount, 0) },
      { label: 'Missing rows', isNumber: true, cell: missing },
      { label: 'Zero volume', isNumber: true, cell: ({ zeroVolumeRows }) => decimal(zeroVolumeRows, 0) },
    ])}
    ${facts([
      ['Exact repeats collapsed', decimal(quality.duplicatesCollapsed, 0)],
      ['Same key, other values', decimal(quality.conflicts, 0)],
      ['Out of order', decimal(quality.outOfOrder, 0)],
      ...Object.entries(quality.refusedByReason).map(
        ([reason, count]) => [`Refused: ${words(reason)}`, decimal(count, 0)] as const,
      ),
    ])}
    ${
      gaps.length === 0
        ? nothing
        : html`<h3>Longest gaps</h3>
            ${table('Longest gaps in the data', gaps, [
              { label: 'Instrument', cell: ({ instrument }) => instrument },
              { label: 'Last row before', cell: ({ from }) => minute(from) },
              { label: 'First row after', isWide: true, cell: ({ to }) => minute(to) },
              { label: 'Length', cell: ({ from, to }) => duration(to - from) },
              { label: 'Missing rows', isNumber: true, cell: ({ missingRows }) => decimal(missingRows, 0) },
            ])}`
    }
    <h3>How it was handled</h3>
    <ul>
      ${each(quality.rules, (rule) => html`<li>${rule}</li>`)}
    </ul>`;
}

function missing({ rows, missingRows }: InstrumentQuality): string {
  if (missingRows === 0) return '0';
  return `${decimal(missingRows, 0)} (${decimal((missingRows / (rows + missingRows)) * 100, 3)} %)`;
}

/** By what anybody can run the same again and tell whether it was the same. */
export function runPart(report: BacktestReport): Html {
  const { run } = report;
  const code = (text: string | null): Html => (text === null ? html`—` : html`<code>${text}</code>`);
  const perSecond = `${decimal(run.barsPerSecond, 0)} bars/s (${decimal(run.wallSeconds, 2)} s)`;
  return html`${facts([
      ['Run', code(run.id)],
      ['Status', run.status === 'complete' ? 'complete' : `PARTIAL: ${run.statusReason ?? 'no reason was recorded'}`],
      ['Code version', code(run.codeVersion)],
      ['Seed', String(run.seed)],
      ['Data', run.data.sources.join(', ')],
      ['Played', `${minute(run.data.firstAt)} to ${minute(run.data.lastAt)} UTC`],
      ['Speed', perSecond],
      ['Events', decimal(run.events, 0)],
    ])}
    <h3>Fingerprints (SHA-256)</h3>
    <p class="why">Two runs with the same data, configuration and code have the same event and state hash.</p>
    ${facts([
      ['Data', code(run.data.fingerprint)],
      ['Configuration', code(run.configurationHash)],
      ['Events', code(run.eventHash)],
      ['State', code(run.stateHash)],
    ])}
    <h3>Configuration, all defaults filled in</h3>
    <details>
      <summary>Show the configuration</summary>
      <pre tabindex="0" aria-label="Configuration as JSON">${JSON.stringify(run.configuration, null, 2)}</pre>
    </details>
    <h3>Refusals and limits</h3>
    ${refusalsPart(report)}
    <h3>Events by type</h3>
    <details>
      <summary>Show all types</summary>
      ${counts('Events by type', 'Type', run.eventsByType)}
    </details>`;
}
