import { explain, ParityImpossible } from '@moon/backtesting';
import type { AnyEvent } from '@moon/events';
import type { BusPosition, JournalBatch, LogRow } from '@moon/kernel';
import { ShardComparison } from './comparison';
import { ArchivedMessages, wholeJournal, type ClusterRecord } from './record';
import type { ClusterParityReport, ShardDivergence, ShardParity, ShardResult } from './report';
import { plannedHandlers, ShardStage, type ConfigActivated, type HandlersOf } from './stage';

export interface ClusterParityOptions {
  record: ClusterRecord;
  /** Version of the code that replays. */
  codeVersion: string;
  /** Only these shards; default: all that the log knows. */
  only?: readonly string[];
  handlersOf?: HandlersOf;
  /** Messages that the recorder has not archived yet. Unless that is 0, what is missing at the end may be on its way. */
  recorderLag?: () => Promise<number>;
  /** Hears of each shard when it is done. */
  onShard?: (parity: ShardParity) => void;
  /** Ends the comparison early. */
  signal?: AbortSignal;
}

const LOOKS = 3;
const LOOK_AGAIN_MS = 700;

/**
 * Parity of a distributed run: every shard's journal is read from its beginning, its messages are taken from
 * the archive and its own inputs from the journal, each is handled again by the same handlers under the settings that the
 * journal activates, with no effects; and every event that a handler emits must be what the log holds of that shard, with
 * the same id, data and order. Operational events are left out (rule 5). It only reads, beside a deployment at work too.
 *
 * @throws ParityImpossible when there is nothing to compare
 */
export async function checkClusterParity(options: ClusterParityOptions): Promise<ClusterParityReport> {
  const { record, only, recorderLag } = options;
  const known = await record.log.shards();
  const chosen = only ? known.filter(({ shard }) => only.includes(shard)) : known;
  if (chosen.length === 0)
    throw new ParityImpossible('The log knows no shard to compare: no process of a deployment has worked on it yet.');
  // In this order: what is published before the lag is looked at is archived when there is none; and what is seen in the
  // log before the journals are read was emitted of inputs that those hold.
  const published = new Map<string, number>();
  for (const { shard, publishedSeq } of chosen) {
    const checkpoint = await record.journals.open(shard).latestCheckpoint();
    published.set(shard, Math.max(publishedSeq, checkpoint?.seq ?? 0));
  }
  const isArchived = recorderLag !== undefined && (await isSettled(recorderLag));
  const emitted = await record.log.emitted.ids();
  const results: ShardResult[] = [];
  for (const { shard } of chosen) {
    const replay = new ShardReplay(shard, options, emitted.get(shard) ?? new Set());
    const result = await replay.run(isArchived ? (published.get(shard) ?? 0) : 0);
    results.push(result);
    options.onShard?.(result.parity);
  }
  return reportOf(results, options, await firstOf(results, record));
}

/** Whether everything is archived; the recorder notes once a second how far it has come. */
async function isSettled(recorderLag: () => Promise<number>): Promise<boolean> {
  for (let look = 1; ; look += 1) {
    if ((await recorderLag()) === 0) return true;
    if (look === LOOKS) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

/** Handles the journal of one shard again. */
class ShardReplay {
  private readonly comparison: ShardComparison;
  private readonly messages: ArchivedMessages;
  private stage: ShardStage | null = null;
  private readonly configurations: ShardParity['configurations'] = [];
  private readonly counts = { messages: 0, ownInputs: 0 };
  private waitsAt: number | null = null;
  /** Where more or less followed from the same inputs than did before. */
  private strayed: string | null = null;
  /** The input that is handled now is a message: it is nobody's output. */
  private isMessage = false;

  constructor(
    private readonly shard: string,
    private readonly options: ClusterParityOptions,
    left: Set<string>,
  ) {
    const { log, archive } = options.record;
    this.comparison = new ShardComparison(shard, left, (events) => log.emitted.of(events));
    this.messages = new ArchivedMessages(archive);
  }

  /** @param publishedTo position up to which all that was emitted is archived */
  async run(publishedTo: number): Promise<ShardResult> {
    let impossible: string | null = null;
    try {
      await this.walk();
    } catch (error) {
      // One shard that cannot be handled again says nothing of the others.
      if (this.options.signal?.aborted) throw error;
      impossible = error instanceof Error ? error.message : String(error);
    }
    const { comparison, shard } = this;
    const isWhole = impossible === null && this.waitsAt === null && !comparison.findings.areTooMany;
    const seq = this.stage?.seq ?? 0;
    const read = async (eventId: string): Promise<LogRow | undefined> =>
      (await this.options.record.log.query({ eventId, limit: 1 })).rows[0];
    await comparison.finish({ seq, isWhole, publishedTo, read });
    // What is one more or less was told by what was compared; if nothing was, it is operational.
    if (comparison.findings.count === 0) impossible ??= this.strayed;
    const { compared, operational, pending, comparedByType, findings } = comparison;
    const parity: ShardParity = {
      ...{ shard, compared, equal: findings.count === 0 && impossible === null, ...this.counts, operational, pending },
      ...{
        seq,
        waitsAt: this.waitsAt,
        divergences: findings.count,
        divergencesByKind: findings.byKind,
        comparedByType,
      },
      ...{ configurations: this.configurations, impossible },
    };
    return { parity, first: findings.first };
  }

  private async walk(): Promise<void> {
    const { record, signal } = this.options;
    for await (const batch of wholeJournal(record, this.shard)) {
      if (signal?.aborted) throw new ParityImpossible(`Interrupted at position ${batch.afterSeq} of ${this.shard}.`);
      if (!(await this.handle(batch)) || this.comparison.findings.areTooMany) return;
      if (this.comparison.isFull) await this.comparison.compare();
    }
  }

  /** False when it goes no further, because a message is not archived yet. */
  private async handle(batch: JournalBatch): Promise<boolean> {
    for (const entry of batch.entries) {
      if (entry.kind === 'input') await this.input(entry.event);
      else {
        const { topic, partition, from, count } = entry;
        for (let offset = from; offset < from + count; offset += 1) {
          if (!(await this.message({ topic, partition, offset }))) return false;
        }
      }
    }
    const seq = this.stage?.seq ?? 0;
    if (seq !== batch.toSeq)
      this.strayed ??= `Handled again, the journal of ${this.shard} leads from position ${batch.afterSeq} to ${seq}, and led to ${batch.toSeq}.`;
    return true;
  }

  private async input(event: AnyEvent): Promise<void> {
    this.counts.ownInputs += 1;
    if (event.type === 'config.activated') this.activated(event);
    const { log } = this.options.record;
    const replayed = event.type === 'event.replayed' ? event.data.replayedEventId : null;
    const rows = replayed === null ? [] : (await log.query({ eventId: replayed, limit: 1 })).rows;
    this.isMessage = false;
    this.staged().handle(event, rows[0]?.event ?? null);
  }

  private async message(position: BusPosition): Promise<boolean> {
    const found = await this.messages.at(position);
    const { topic, partition, offset } = position;
    if (found === 'missing') {
      throw new ParityImpossible(
        `Message ${offset} of ${topic}/${partition}, which shard ${this.shard} handled after position ${this.stage?.seq ?? 0}, ` +
          'is not in the archive: it was dropped by retention, or the recorder passed it over.',
      );
    }
    if (found === 'behind') {
      this.waitsAt = this.stage?.seq ?? 0;
      return false;
    }
    this.counts.messages += 1;
    this.isMessage = true;
    this.staged().handle(found.event, null);
    return true;
  }

  private activated(event: ConfigActivated): void {
    this.stage ??= new ShardStage(this.shard, event, this.options.handlersOf ?? plannedHandlers, (row, isInput) => {
      if (!isInput || !this.isMessage) this.comparison.emitted(row, isInput);
    });
    this.configurations.push({ seq: this.stage.seq + 1, codeVersion: event.data.codeVersion });
  }

  private staged(): ShardStage {
    if (this.stage) return this.stage;
    throw new ParityImpossible(
      `The journal of ${this.shard} does not begin with settings (config.activated): its handlers cannot be wired.`,
    );
  }
}

/** The divergence that shows first in event time, with what led to it. */
async function firstOf(results: readonly ShardResult[], { log }: ClusterRecord): Promise<ShardDivergence | null> {
  const timeOf = ({ first }: ShardResult): number => (first?.recorded ?? first?.replayed)?.occurredAt ?? Infinity;
  const [earliest] = [...results].filter(({ first }) => first !== null).sort((a, b) => timeOf(a) - timeOf(b));
  if (!earliest?.first) return null;
  return { ...(await explain(log, earliest.first)), shard: earliest.parity.shard };
}

function reportOf(
  results: readonly ShardResult[],
  { codeVersion }: ClusterParityOptions,
  firstDivergence: ShardDivergence | null,
): ClusterParityReport {
  const shards = results.map(({ parity }) => parity);
  const sum = (of: (parity: ShardParity) => number): number => shards.reduce((total, parity) => total + of(parity), 0);
  return {
    compared: sum(({ compared }) => compared),
    equal: shards.every(({ equal }) => equal),
    shards,
    firstDivergence,
    divergences: sum(({ divergences }) => divergences),
    divergencesByKind: added(shards.map(({ divergencesByKind }) => divergencesByKind)),
    comparedByType: added(shards.map(({ comparedByType }) => comparedByType)),
    messages: sum(({ messages }) => messages),
    ownInputs: sum(({ ownInputs }) => ownInputs),
    operational: sum(({ operational }) => operational),
    pending: sum(({ pending }) => pending),
    notes: notesOf(shards, codeVersion),
  };
}

function added<K extends string>(counts: readonly Partial<Record<K, number>>[]): Record<K, number> {
  const total = {} as Record<K, number>;
  for (const one of counts)
    for (const [name, count] of Object.entries(one) as Array<[K, number]>) total[name] = (total[name] ?? 0) + count;
  return total;
}

function notesOf(shards: readonly ShardParity[], codeVersion: string): string[] {
  const notes: string[] = [];
  const versions = new Set(shards.flatMap(({ configurations }) => configurations.map((one) => one.codeVersion)));
  versions.delete(codeVersion);
  if (versions.size > 0)
    notes.push(
      `Parts were written by code version ${[...versions].join(', ')}, and are compared with ${codeVersion}: a rule that was changed in between shows as a divergence.`,
    );
  const behind = shards.filter(({ waitsAt }) => waitsAt !== null).map(({ shard }) => shard);
  if (behind.length > 0)
    notes.push(
      `Of ${behind.join(', ')} the end was not compared: messages that were handled are not archived yet. Let the recorder catch up.`,
    );
  return notes;
}
