import type { BadRow, LaneReport } from '@moon/infra';
import { count, plural, span } from '../../output/text';

/** What became of the rows of one file. rows = used + repeats + conflicts + refused. */
export interface FileReport {
  file: string;
  kind: string;
  rows: number;
  used: number;
  /** The same fact again, in this file or in another one of the import. */
  repeats: number;
  /** The same key again, with other values: the first one counts. */
  conflicts: number;
  refused: number;
  refusedByReason: Record<string, number>;
}

/** What became of an import. events = added + alreadyThere + conflictingEvents. */
export interface ImportReport {
  /** The imported log; null when nothing was stored because it was a dry run, or nothing could be used. */
  run: string | null;
  dryRun: boolean;
  interrupted: boolean;
  files: FileReport[];
  rows: number;
  used: number;
  repeats: number;
  conflicts: number;
  refused: number;
  refusedByReason: Record<string, number>;
  /** Made of the used rows: a candle is two events. */
  events: number;
  /** With a dry run: that would be added. */
  added: number;
  alreadyThere: number;
  /** Say something else than a fact of the same key that is stored already. */
  conflictingEvents: number;
  /** The first refusals and conflicts, as `file:line rule message`. */
  firstErrors: string[];
  seconds: number;
}

/** Errors that the report shows. */
const SHOWN_ERRORS = 20;

/** `file:line rule message` */
export function errorLine({ file, line, rule, message }: BadRow): string {
  return `${file}:${line} ${rule} ${message}`;
}

/** Counts what is refused while the files are read. */
export class RefusalCount {
  readonly firstErrors: string[] = [];
  private readonly byFile = new Map<string, Record<string, number>>();

  constructor(private readonly write: (line: string) => void) {}

  note(bad: BadRow): void {
    const line = errorLine(bad);
    this.write(line);
    if (this.firstErrors.length < SHOWN_ERRORS) this.firstErrors.push(line);
    if (bad.rule === 'conflict') return;
    const reasons = this.byFile.get(bad.file) ?? {};
    reasons[bad.rule] = (reasons[bad.rule] ?? 0) + 1;
    this.byFile.set(bad.file, reasons);
  }

  /** A fact that contradicts a stored one: there is no line to name. */
  noteConflict(text: string): void {
    const line = `conflict ${text}`;
    this.write(line);
    if (this.firstErrors.length < SHOWN_ERRORS) this.firstErrors.push(line);
  }

  fileReport({ file, kind, rows, repeats, conflicts, refused }: LaneReport): FileReport {
    const used = rows - repeats - conflicts - refused;
    return { file, kind, rows, used, repeats, conflicts, refused, refusedByReason: this.byFile.get(file) ?? {} };
  }
}

export function sumByReason(files: readonly FileReport[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { refusedByReason } of files) {
    for (const [reason, value] of Object.entries(refusedByReason)) sum[reason] = (sum[reason] ?? 0) + value;
  }
  return Object.fromEntries(Object.entries(sum).sort(([, a], [, b]) => b - a));
}

/** The report for the eye. */
export function renderReport(report: ImportReport): string[] {
  const { rows, used, repeats, conflicts, refused, events, added, alreadyThere, conflictingEvents } = report;
  const where = report.run === null ? '' : ` into ${report.run}`;
  const title = report.dryRun ? 'Tried only, nothing was stored' : `Imported ${count(added)} new events${where}`;
  const reasons = Object.entries(report.refusedByReason).map(([reason, value]) => `${reason} ${count(value)}`);
  const lines = [
    `${title}, in ${span(report.seconds * 1_000)}.`,
    `  rows     ${plural(rows, 'row')}: ${count(used)} used, ${plural(repeats, 'repeat')}, ${plural(conflicts, 'conflict')}, ${count(refused)} refused`,
    `  events   ${plural(events, 'event')}: ${count(added)} ${report.dryRun ? 'new' : 'added'}, ${count(alreadyThere)} already there, ${count(conflictingEvents)} in conflict with what is stored`,
    ...report.files.map(
      (file) => `  file     ${file.file} (${file.kind}): ${count(file.used)} of ${plural(file.rows, 'row')}`,
    ),
    ...(reasons.length > 0 ? [`  refused  ${reasons.join(', ')}`] : []),
  ];
  const problems = refused + conflicts + conflictingEvents;
  if (report.firstErrors.length > 0) {
    lines.push(
      problems > report.firstErrors.length
        ? `The first ${report.firstErrors.length} of ${count(problems)}:`
        : 'What was not taken:',
    );
    lines.push(...report.firstErrors.map((line) => `  ${line}`));
  }
  if (used === 0 && !report.interrupted) lines.push(rows === 0 ? 'There is no row in it.' : 'Not one row can be used.');
  if (report.interrupted) lines.push('Interrupted. The same command again goes on: what is stored is passed over.');
  return lines;
}
