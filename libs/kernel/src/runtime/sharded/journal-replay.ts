import type { BusMessage, BusPosition } from '../../ports/bus';
import type { JournalBatch } from '../../ports/journal';
import type { AnyEvent, TopicName } from '@moon/events';
import type { MessageBuffer } from './message-buffer';

/** Handling the journal again led elsewhere than it did: the code decides otherwise now, or the journal is damaged. */
export class JournalDiverged extends Error {
  override readonly name = 'JournalDiverged';
  constructor(shard: string, detail: string) {
    super(
      `The journal of shard ${shard} cannot be handled again: ${detail}. ` +
        'Start what wrote it, the version with its settings, stop it with Ctrl-C, and change then.',
    );
  }
}

/** Neither a checkpoint nor the journal itself leads to where what is left of it begins. */
export class JournalIncomplete extends Error {
  override readonly name = 'JournalIncomplete';
  constructor(shard: string, from: number, to: number) {
    super(
      `The journal of shard ${shard} lacks positions ${from} to ${to}, and no checkpoint that can be read leads past them. ` +
        'Restore the newest checkpoint of this shard, or those batches, from a backup; journal_drops says what has expired.',
    );
  }
}

/** What the journal says is next, and whether it is there. */
export type ReplayStep =
  | { kind: 'input'; event: AnyEvent }
  | { kind: 'message'; message: BusMessage }
  /** The message at this position has not come yet. */
  | { kind: 'wait'; position: BusPosition }
  | { kind: 'end' };

/** Walks a shard's journal from its checkpoint on, message by message, in the recorded order. */
export class JournalReplay {
  private batch = 0;
  private entry = 0;
  private inRun = 0;

  constructor(
    private readonly shard: string,
    private readonly batches: readonly JournalBatch[],
    private readonly buffer: MessageBuffer,
    /** Where the engine stands; it must stand at each batch's end when the batch has been handled. */
    private readonly seq: () => number,
  ) {}

  next(): ReplayStep {
    for (;;) {
      const batch = this.batches[this.batch];
      if (!batch) return { kind: 'end' };
      const entry = batch.entries[this.entry];
      if (this.entry === 0 && this.inRun === 0 && this.seq() < batch.afterSeq)
        throw new JournalIncomplete(this.shard, this.seq() + 1, batch.afterSeq);
      if (!entry) {
        if (this.seq() !== batch.toSeq) {
          const expected = `after position ${batch.afterSeq} it leads to ${this.seq()}, and led to ${batch.toSeq}`;
          throw new JournalDiverged(this.shard, expected);
        }
        this.batch += 1;
        this.entry = 0;
        continue;
      }
      if (entry.kind === 'input') {
        this.entry += 1;
        return { kind: 'input', event: entry.event };
      }
      if (this.inRun === entry.count) {
        this.entry += 1;
        this.inRun = 0;
        continue;
      }
      const { topic, partition } = entry;
      const position = { topic, partition, offset: entry.from + this.inRun };
      const message = this.buffer.take(position);
      if (message === 'waiting') return { kind: 'wait', position };
      if (message === 'missing') {
        throw new JournalDiverged(
          this.shard,
          `message ${entry.from + this.inRun} of ${topic}/${partition} is neither on the broker nor in the store`,
        );
      }
      this.inRun += 1;
      return { kind: 'message', message };
    }
  }
}

/** @param heard topics whose messages are brought to the shard; undefined: all @throws JournalDiverged the journal names another */
export function requireHeard(shard: string, batches: readonly JournalBatch[], heard?: ReadonlySet<TopicName>): void {
  const entries = batches.flatMap((batch) => batch.entries);
  const unheard = entries.find((entry) => entry.kind === 'messages' && heard?.has(entry.topic) === false);
  if (unheard?.kind === 'messages')
    throw new JournalDiverged(shard, `it names messages of ${unheard.topic}, which its group hears no more`);
}
