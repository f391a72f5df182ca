import { shardOfKey, type ClusterConfig } from '@moon/cluster';
import type { AnyEvent, TopicName } from '@moon/events';
import { groupPlans, takesOf, type GroupPlan } from '@moon/kernel';
import type { Carried } from '../auditor';
import type { PrimaryClient } from '../store';
import type { Findings } from './findings';

interface JournalRow {
  shard: string;
  after_seq: string;
  to_seq: string;
  entries: Array<{ kind: string; topic?: TopicName; partition?: number; from?: number; count?: number }>;
}

/** Offsets that a shard handled of one partition. */
class Handled {
  readonly offsets = new Set<number>();
  last = -1;
}

/**
 * What every shard says that it handled, held against what the brokers carry: each message that concerns it once, in its
 * order, none passed over.
 */
export class JournalCover {
  private readonly handled = new Map<string, Handled>();
  private readonly ends = new Map<string, number>();
  private readonly plans: readonly GroupPlan[];

  constructor(private readonly config: ClusterConfig) {
    this.plans = groupPlans(config.platform);
  }

  /** Reads what the journals have got since the last time. */
  async read(store: PrimaryClient, findings: Findings): Promise<void> {
    for (const { name } of this.plans) {
      for (let index = 0; index < this.config.shards; index += 1) await this.readShard(`${name}#${index}`, store, findings);
    }
    const shards = (await store.rows<{ shard: string; seq: string }>('SELECT shard, seq FROM shards')) ?? [];
    for (const { shard, seq } of shards) {
      if (Number(seq) < (this.ends.get(shard) ?? 0)) findings.add('lost', `a journal ends above its shard: ${shard}`);
    }
  }

  /** Every message that the auditor knew of in good time was handled by whom it concerns. */
  judge(events: ReadonlyMap<string, Carried>, findings: Findings): void {
    const { shards } = this.config;
    for (const plan of this.plans) {
      const topics = new Set<TopicName>([...plan.keyed, ...plan.broadcast]);
      const broadcast = new Set(plan.broadcast);
      const takes = Array.from({ length: shards }, (_, index) =>
        takesOf(plan, (key) => shardOfKey(key, shards) === index),
      );
      for (const [id, event] of events) {
        if (!topics.has(event.topic)) continue;
        const first = broadcast.has(event.topic) ? 0 : event.partition % shards;
        const end = broadcast.has(event.topic) ? shards : first + 1;
        for (let index = first; index < end; index += 1) {
          const shard = `${plan.name}#${index}`;
          if (event.producer === shard || !takes[index]?.(event as unknown as AnyEvent)) continue;
          if (!this.handled.get(slot(shard, event.topic, event.partition))?.offsets.has(event.offset))
            findings.add('lost', `a message was not handled: ${event.type} ${id} by ${shard}`);
        }
      }
    }
  }

  private async readShard(shard: string, store: PrimaryClient, findings: Findings): Promise<void> {
    const sql = 'SELECT shard, after_seq, to_seq, entries FROM journal WHERE shard = $1 AND after_seq >= $2 ORDER BY after_seq';
    const rows = await store.rows<JournalRow>(sql, [shard, this.ends.get(shard) ?? 0]);
    if (rows === null) throw new Error('The store does not answer.');
    for (const { after_seq, to_seq, entries } of rows) {
      const end = this.ends.get(shard) ?? 0;
      if (Number(after_seq) !== end) findings.add('lost', `a journal has a gap: ${shard} after ${end}`);
      this.ends.set(shard, Number(to_seq));
      for (const { kind, topic, partition = 0, from = 0, count = 0 } of entries) {
        if (kind !== 'messages' || !topic) continue;
        this.note(slot(shard, topic, partition), from, count, findings);
      }
    }
  }

  private note(name: string, from: number, count: number, findings: Findings): void {
    const handled = this.handled.get(name) ?? new Handled();
    this.handled.set(name, handled);
    for (let offset = from; offset < from + count; offset += 1) {
      if (handled.offsets.has(offset)) findings.add('doubled', `a message was handled twice: ${name} offset ${offset}`);
      else if (offset < handled.last) findings.add('reordered', `a message was handled late: ${name} offset ${offset}`);
      handled.offsets.add(offset);
      handled.last = Math.max(handled.last, offset);
    }
  }
}

const slot = (shard: string, topic: TopicName, partition: number): string => `${shard} ${topic}/${partition}`;

