import type { AnyEvent } from '@moon/events';
import type { EventStore, Handler, LogRow } from '@moon/kernel';
import { StateCheck } from './checkpoint';
import { Comparison, isOperational } from './comparison';
import { explain } from './explain';
import { ParityImpossible, type ParityReport } from './report';
import { readSkips } from './skips';
import { Stage } from './stage';

export interface ParityOptions {
  store: EventStore;
  /** Version of the code that replays. */
  codeVersion: string;
  /** Agents of users' modules, as the run was started with. */
  userAgents?: readonly Handler[];
  /** Hears how far the comparison is, every thousand events. */
  onProgress?: (seq: number, lastSeq: number) => void;
  /** Ends the comparison early. */
  signal?: AbortSignal;
}

const PROGRESS_EVERY = 1_000;
/** Sources of what only a platform at work takes in. */
const OF_A_START = /^(feed\/|bootstrap|reconciliation)/;

/**
 * Parity of a run (issue 4): everything that came from outside is taken from its log in the recorded order (rule 1), each
 * event of the log is handled again by the same handlers, and whatever a handler emits must be what the log holds, in the
 * order of its emitter: id, type, key, data, time and cause. Operational events are left out (rule 5).
 *
 * The replay goes on from what is recorded, not from what it emitted: each decision is judged by the history that it was
 * made on, and one difference does not hide the next. It only reads. Memory does not grow with the log.
 *
 * @throws ParityImpossible when nothing can be said, with the reason
 */
export async function checkParity(options: ParityOptions): Promise<ParityReport> {
  const { store } = options;
  const checkpoint = await store.latestCheckpoint();
  // Read afterwards, so that the checkpoint is not ahead of it while the run goes on.
  const lastSeq = await store.lastSeq();
  if (lastSeq === 0) throw new ParityImpossible('The log is empty: nothing has been recorded yet.');
  const skips = await readSkips(store);
  const first = await firstSettings(store);
  let leftOut = 0;
  const isLeftOut = (event: AnyEvent): boolean => {
    const isOut = isOperational(event);
    if (isOut) leftOut += 1;
    return isOut;
  };
  const stage = new Stage(first, options.userAgents ?? [], skips.isSkipped, isLeftOut);
  const comparison = new Comparison(stage, skips);
  const state = checkpoint ? new StateCheck(checkpoint) : null;
  const walk = new Walk(options, stage, comparison, state);
  const end = await walk.to(lastSeq);
  const isWhole = end.seq === lastSeq;
  if (isWhole) comparison.finish(end, state);
  const { findings } = comparison;
  const { compared, comparedByType, inputs, inputsByType, unchecked, deadlines, answers, pending } = comparison;
  return {
    compared,
    equal: findings.count === 0,
    firstDivergence: findings.first ? await explain(store, findings.first) : null,
    divergences: findings.count,
    divergencesByKind: findings.byKind,
    stoppedAt: isWhole ? null : end.seq,
    ...{ events: walk.events, lastSeq, comparedByType, inputs, inputsByType },
    operational: comparison.operational + leftOut,
    ...{ unchecked, deadlines, answers, skipped: skips.count, pending },
    end: walk.isStopped ? 'stopped' : 'open',
    state: state?.result() ?? null,
    configurations: walk.configurations,
    notes: notesOf(walk, comparison, options.codeVersion),
  };
}

/** Goes through the log, row by row. */
class Walk {
  readonly configurations: ParityReport['configurations'] = [];
  events = 0;
  /** The run ended with a word, and nothing came after it. */
  isStopped = false;

  constructor(
    private readonly options: ParityOptions,
    private readonly stage: Stage,
    private readonly comparison: Comparison,
    private readonly state: StateCheck | null,
  ) {}

  /** @returns the last row that was handled: the one at `lastSeq`, unless too much differed */
  async to(lastSeq: number): Promise<LogRow> {
    const { store, onProgress, signal } = this.options;
    let last: LogRow | null = null;
    for await (const row of store.readLog(0)) {
      if (row.seq > lastSeq) break;
      if (row.seq !== (last?.seq ?? 0) + 1) throw this.hole(last?.seq ?? 0, row.seq);
      last = row;
      await this.handle(row);
      if (this.comparison.findings.areTooMany || row.seq === lastSeq) break;
      if (row.seq % PROGRESS_EVERY !== 0) continue;
      if (signal?.aborted) throw new ParityImpossible(`Interrupted at event ${row.seq} of ${lastSeq}.`);
      onProgress?.(row.seq, lastSeq);
    }
    if (last === null) throw this.hole(0, lastSeq + 1);
    if (last.seq !== lastSeq && !this.comparison.findings.areTooMany) throw this.hole(last.seq, lastSeq + 1);
    onProgress?.(last.seq, lastSeq);
    return last;
  }

  private async handle(row: LogRow): Promise<void> {
    const { event, seq } = row;
    this.events += 1;
    if (event.type === 'config.activated') {
      this.configurations.push({ seq, codeVersion: event.data.codeVersion });
      this.stage.activate(event);
    }
    if (event.type === 'system.stopped') this.isStopped = true;
    else if (OF_A_START.test(event.source)) this.isStopped = false;
    this.comparison.take(row);
    const original = event.type === 'event.replayed' ? await this.original(event) : null;
    try {
      this.stage.handle(row, original);
    } catch (error) {
      if (error instanceof ParityImpossible) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new ParityImpossible(`The replay broke at ${event.type} (position ${seq}, id ${event.id}): ${why}`, {
        cause: error,
      });
    }
    for (const found of this.state?.at(seq, this.stage) ?? []) this.comparison.findings.add(found);
  }

  /** The event that a dead letter's replay delivers again. */
  private async original(record: Extract<AnyEvent, { type: 'event.replayed' }>): Promise<AnyEvent | null> {
    const { replayedSeq } = record.data;
    for await (const { event } of this.options.store.readLog(replayedSeq - 1, 1)) return event;
    return null;
  }

  private hole(after: number, next: number): ParityImpossible {
    const [from, to] = [after + 1, next - 1];
    const range = from === to ? `position ${from}` : `positions ${from} to ${to}`;
    const why =
      after === 0
        ? 'Retention has dropped the beginning of the run, and the handlers’ states cannot be made again without it.'
        : 'What is missing was dropped or taken out; the handlers’ states cannot be made again without it.';
    const asked = this.stage.unanswered()[0];
    const answer = asked
      ? ` An answer of a model may be among it (asked at position ${asked.seq}): answers are taken from the log, never asked for again.`
      : '';
    return new ParityImpossible(`The log lacks ${range}. ${why}${answer}`);
  }
}

async function firstSettings(store: EventStore): Promise<Extract<AnyEvent, { type: 'config.activated' }>> {
  for (let cursor: string | undefined, best: LogRow | null = null; ;) {
    const page = await store.query({ types: ['config.activated'], limit: 1_000, cursor });
    for (const row of page.rows) if (best === null || row.seq < best.seq) best = row;
    cursor = page.cursor ?? undefined;
    if (cursor !== undefined) continue;
    if (best?.event.type === 'config.activated') return best.event;
    throw new ParityImpossible(
      'The log holds no settings (config.activated), so it is not the log of a run of the platform: there are no decisions to compare.',
    );
  }
}

function notesOf({ configurations }: Walk, comparison: Comparison, codeVersion: string): string[] {
  const notes: string[] = [];
  const others = [...new Set(configurations.map((one) => one.codeVersion))].filter(
    (version) => version !== codeVersion,
  );
  if (others.length > 0)
    notes.push(
      `The log was written by code version ${others.join(', ')}, and is compared with ${codeVersion}: a rule that was changed in between shows as a divergence.`,
    );
  const unchecked = Object.keys(comparison.unchecked);
  if (unchecked.length > 0)
    notes.push(
      `What ${unchecked.join(', ')} said was taken as recorded, because its module was not given (--agents FILE).`,
    );
  return notes;
}
