import type { BusMessage, BusPartition, BusPosition } from '../../ports/bus';
import type { ShardCheckpoint } from '../../ports/journal';

/** Name of a partition, as a key. */
export const slotOf = ({ topic, partition }: BusPartition): string => `${topic}/${partition}`;

/** The next offset of every partition that a shard reads; it only grows. */
export class Positions {
  private readonly next = new Map<string, BusPosition>();

  constructor(positions: ShardCheckpoint['positions'] = []) {
    for (const position of positions) this.next.set(slotOf(position), { ...position });
  }

  /** Undefined for a partition of which nothing was read yet. */
  of(partition: BusPartition): number | undefined {
    return this.next.get(slotOf(partition))?.offset;
  }

  /** Notes that everything below `next` has been taken; false when it had been already. */
  advance(partition: BusPartition, next: number): boolean {
    const slot = slotOf(partition);
    const known = this.next.get(slot);
    if (known && known.offset >= next) return false;
    this.next.set(slot, { topic: partition.topic, partition: partition.partition, offset: next });
    return true;
  }

  list(): BusPosition[] {
    return [...this.next.values()].map((position) => ({ ...position }));
  }
}

/** Messages that came again and wait for their place in the journal, by partition in their order. */
export class MessageBuffer {
  private readonly waiting = new Map<string, BusMessage[]>();
  /** Who waits for room in a partition. */
  private readonly roomless = new Map<string, (() => void)[]>();

  /** @param most messages of one partition at which it should bring no more */
  constructor(private readonly most: number) {}

  add(messages: readonly BusMessage[]): void {
    for (const message of messages) {
      const slot = slotOf(message);
      const list = this.waiting.get(slot);
      if (!list) this.waiting.set(slot, [message]);
      else if (message.offset > (list[list.length - 1]?.offset ?? -1)) list.push(message);
    }
  }

  /** True while this partition should bring no more. */
  isFull(partition: BusPartition): boolean {
    return this.size(slotOf(partition)) >= this.most;
  }

  /** Resolves when half of what fits has been taken again, or at `giveRoom`: the journal may go on with what is still to come. */
  room(partition: BusPartition): Promise<void> {
    const slot = slotOf(partition);
    return new Promise((resolve) => this.roomless.set(slot, [...(this.roomless.get(slot) ?? []), resolve]));
  }

  /** Nothing waits here any more: everybody may bring what they have. */
  giveRoom(): void {
    for (const slot of this.roomless.keys()) this.tell(slot);
  }

  /**
   * The message at a position; those before it are let go, since the journal passes them over.
   * @returns 'waiting' when it has not come yet, 'missing' when only later ones came
   */
  take(position: BusPosition): BusMessage | 'waiting' | 'missing' {
    const slot = slotOf(position);
    const found = this.find(this.waiting.get(slot) ?? [], position);
    if (this.roomless.size > 0 && this.size(slot) <= this.most / 2) this.tell(slot);
    return found;
  }

  /** Everything that is left, partition by partition; empties the buffer. */
  rest(): BusMessage[][] {
    const lists = [...this.waiting.values()].filter((list) => list.length > 0);
    this.waiting.clear();
    return lists;
  }

  private size(slot: string): number {
    return this.waiting.get(slot)?.length ?? 0;
  }

  private find(list: BusMessage[], position: BusPosition): BusMessage | 'waiting' | 'missing' {
    let at = 0;
    while (at < list.length && (list[at] as BusMessage).offset < position.offset) at += 1;
    if (at > 0) list.splice(0, at);
    const first = list[0];
    if (!first) return 'waiting';
    if (first.offset !== position.offset) return 'missing';
    list.shift();
    return first;
  }

  private tell(slot: string): void {
    const waiting = this.roomless.get(slot) ?? [];
    this.roomless.delete(slot);
    for (const resolve of waiting) resolve();
  }
}
