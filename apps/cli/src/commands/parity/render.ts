import type { ExplainedDivergence, ParityReport, PathDifference, VenueParity } from '@moon/backtesting';
import type { AnyEvent } from '@moon/events';
import { describe } from '../../output/describe';
import { table } from '../../output/table';
import { clock, count, cut, plural, shortId } from '../../output/text';

const VALUE_WIDTH = 60;

/** What a comparison found, as lines for a person. */
export function renderParity(report: ParityReport): string[] {
  const { compared, inputs, operational, deadlines, answers, pending, skipped } = report;
  const lines = [
    report.equal
      ? `EQUAL: all ${count(compared)} events that handlers emitted are made again, the same in id, data and order.`
      : `NOT EQUAL: ${plural(report.divergences, 'divergence')} (${kindsOf(report)}) in ${plural(compared, 'compared event')}.`,
    `Taken as recorded: ${plural(inputs, 'input')}, among them ${plural(deadlines, 'deadline')} and ${plural(answers, 'model answer')}. ` +
      `Left out: ${plural(operational, 'operational event')}.`,
  ];
  if (report.state)
    lines.push(
      `States at the checkpoint of position ${count(report.state.seq)}: ${report.state.equal ? `equal, ${report.state.recorded.slice(0, 16)}` : 'different'} (${plural(report.state.states, 'state')}).`,
    );
  if (skipped > 0)
    lines.push(
      `${plural(skipped, 'delivery').replace('deliverys', 'deliveries')} of agents that took too long or died: left out, as recorded.`,
    );
  if (pending > 0)
    lines.push(`${plural(pending, 'event')} behind the end of the log: a tail that was cut off, or not written yet.`);
  if (report.stoppedAt !== null) lines.push(`Given up at position ${count(report.stoppedAt)}: too much differs.`);
  return report.firstDivergence ? [...lines, '', ...renderDivergence(report.firstDivergence)] : lines;
}

/** What the venue's own journal says about its reports. */
export function renderVenue(venue: VenueParity | null): string[] {
  if (venue === null) return [];
  const { inputs, compared, firstDifference: first } = venue;
  const of = `${plural(compared, 'report')} of the venue, made again from ${plural(inputs, 'input')} of its own journal`;
  if (first === null) return [`Equal: ${of}.`];
  return [
    `NOT EQUAL: ${count(venue.differences)} of ${of}. The first is report ${first.venueSeq} of portfolio ${first.portfolio}, position ${count(first.seq)}:`,
    ...differencesTable(first.paths),
  ];
}

function differencesTable(paths: readonly PathDifference[]): string[] {
  const columns = ['where', 'recorded', 'replayed'].map((title) => ({ title }));
  return table(columns, paths.map(rowOf));
}

function kindsOf({ divergencesByKind }: ParityReport): string {
  const kinds = Object.entries(divergencesByKind).map(
    ([kind, number]) => `${count(number)} ${kind.replaceAll('_', ' ')}`,
  );
  return kinds.join(', ');
}

export function renderDivergence(found: ExplainedDivergence): string[] {
  const { recorded, replayed, cause, chain, paths } = found;
  const lines = [`The first, at position ${count(found.seq)}: ${found.says}`];
  if (paths.length > 0) lines.push('', ...differencesTable(paths));
  if (recorded || replayed) lines.push('', `recorded  ${lineOf(recorded)}`, `replayed  ${lineOf(replayed)}`);
  if (cause)
    lines.push(
      '',
      `It comes of ${lineOf(cause.event)}, position ${count(cause.seq)}:`,
      `  ${JSON.stringify(cause.event.data)}`,
    );
  if (chain.length > 1) {
    lines.push('', 'Chain, from the root:');
    for (const { seq, id, type, key, occurredAt } of [...chain].reverse())
      lines.push(`  ${clock(occurredAt)}  ${type}  ${key}  [${shortId(id)} #${seq}]`);
  }
  return lines;
}

function rowOf({ path, recorded, replayed }: PathDifference): string[] {
  return [path, valueOf(recorded), valueOf(replayed)];
}

function valueOf(value: unknown): string {
  return value === undefined ? '–' : cut(JSON.stringify(value), VALUE_WIDTH);
}

function lineOf(event: AnyEvent | null): string {
  if (event === null) return 'nothing';
  return `${clock(event.occurredAt)}  ${event.type}  ${event.key}  ${describe(event)}  [${shortId(event.id)}]`;
}
