import type { AnyEvent } from '@moon/events';
import type { BusPartition, JournalBatch } from '@moon/kernel';
import type { Carried } from '../carried';
import type { Findings } from './findings';
import type { LogFold } from './log-fold';
import { isStoreFirst } from './log-fold';

/** What a shard is to hear. */
export interface Hearing {
  shard: string;
  topics: ReadonlySet<string>;
  /** False for a partition of a keyed topic that another shard reads. */
  reads: (partition: BusPartition) => boolean;
  takes: (event: Pick<AnyEvent, 'type' | 'key'>) => boolean;
}

/** Offsets that a shard handled of one partition. */
interface Handled {
  offsets: Set<number>;
  last: number;
}

/**
 * What every shard says that it handled, held against what the brokers carry: each message that concerns it once, in its
 * order, none passed over; and as many outputs as it counted.
 */
export class JournalCover {
  private readonly handled = new Map<string, Handled>();
  private readonly ends = new Map<string, number>();
  /** Messages of the broker in each journal. */
  private readonly messages = new Map<string, number>();

  constructor(private readonly hearings: readonly Hearing[]) {}

  /** The next batch of a shard's journal. */
  take(shard: string, batch: Pick<JournalBatch, 'afterSeq' | 'toSeq' | 'entries'>, findings: Findings): void {
    const end = this.ends.get(shard) ?? 0;
    if (batch.afterSeq !== end) findings.add('lost', `a journal has a gap: ${shard}, ${batch.afterSeq} follows ${end}`);
    this.ends.set(shard, batch.toSeq);
    for (const entry of batch.entries) {
      if (entry.kind !== 'messages') continue;
      this.messages.set(shard, (this.messages.get(shard) ?? 0) + entry.count);
      this.note(slot(shard, entry), entry.from, entry.count, findings);
    }
  }

  /** Every message was handled by whom it concerns. */
  judge(events: ReadonlyMap<string, Carried>, findings: Findings): void {
    for (const { shard, topics, reads, takes } of this.hearings) {
      for (const [id, event] of events) {
        if (!topics.has(event.topic) || event.producer === shard || !reads(event) || !takes(event)) continue;
        if (!this.handled.get(slot(shard, event))?.offsets.has(event.offset))
          findings.add('lost', `a message was not handled: ${event.type} ${id} by ${shard}`);
        for (const copy of event.copies) {
          if (this.handled.get(slot(shard, copy))?.offsets.has(copy.offset))
            findings.add('doubled', `a copy was handled: ${event.type} ${id} by ${shard}`);
        }
      }
    }
  }

  /** A journal's positions count inputs and outputs: what is no message of the broker is on the brokers or in a stream. */
  judgeOutputs(events: ReadonlyMap<string, Carried>, fold: LogFold, findings: Findings): void {
    const found = new Map<string, number>();
    const count = (shard: string): void => void found.set(shard, (found.get(shard) ?? 0) + 1);
    for (const { producers, type } of events.values()) if (!isStoreFirst(type)) producers.forEach(count);
    for (const { shard, stream } of fold.events.values()) if (shard !== null && stream !== null) count(shard);
    for (const [shard, end] of this.ends) {
      const expected = end - (this.messages.get(shard) ?? 0);
      const difference = expected - (found.get(shard) ?? 0);
      for (let missing = 0; missing < difference; missing += 1)
        findings.add('lost', `an output was never published: ${shard} lacks ${difference} of ${expected}`);
      for (let surplus = 0; surplus > difference; surplus -= 1)
        findings.add('doubled', `outputs that no journal knows: ${shard} has ${-difference} above ${expected}`);
    }
  }

  private note(name: string, from: number, count: number, findings: Findings): void {
    const handled = this.handled.get(name) ?? { offsets: new Set(), last: -1 };
    this.handled.set(name, handled);
    for (let offset = from; offset < from + count; offset += 1) {
      if (handled.offsets.has(offset)) findings.add('doubled', `a message was handled twice: ${name} offset ${offset}`);
      else if (offset < handled.last) findings.add('reordered', `a message was handled late: ${name} offset ${offset}`);
      handled.offsets.add(offset);
      handled.last = Math.max(handled.last, offset);
    }
  }
}

const slot = (shard: string, { topic, partition }: BusPartition): string => `${shard} ${topic}/${partition}`;
