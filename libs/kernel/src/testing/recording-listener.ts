import type { AnyEvent } from '@moon/events';
import { isRefused, type BusListener, type BusMessage, type BusPartition, type RefusedMessage } from '../ports/bus';

/** What a listener was told, in order. */
export type Told =
  | { kind: 'assigned' | 'assigned.done' | 'revoked' | 'revoked.done'; shards: readonly number[] }
  | { kind: 'messages'; from: BusPartition; messages: readonly (BusMessage | RefusedMessage)[] }
  | { kind: 'expired'; from: BusPartition; wanted: number; first: number };

/** Hooks that run inside the calls, to make them wait, fail, or move positions. */
export interface ListenerHooks {
  assigned?: (shards: readonly number[]) => Promise<void> | void;
  revoked?: (shards: readonly number[]) => Promise<void> | void;
  messages?: (from: BusPartition, messages: readonly (BusMessage | RefusedMessage)[]) => Promise<void> | void;
}

/** Writes down what a consumer tells its owner; tests wait for conditions on it instead of for time. */
export class RecordingListener implements BusListener {
  readonly told: Told[] = [];
  private waiting: { isMet: () => boolean; resolve: () => void }[] = [];

  /** `shared` collects what several listeners are told, for the order between them. */
  constructor(
    private readonly hooks: ListenerHooks = {},
    private readonly shared?: { by: string; log: string[] },
  ) {}

  get messagesSeen(): (BusMessage | RefusedMessage)[] {
    return this.told.flatMap((entry) => (entry.kind === 'messages' ? entry.messages : []));
  }

  get events(): AnyEvent[] {
    return this.messagesSeen.flatMap((message) => (isRefused(message) ? [] : [message.event]));
  }

  /** Events of one key, in the order in which they came. */
  idsOf(key: string): string[] {
    return this.events.filter((event) => event.key === key).map(({ id }) => id);
  }

  /** Shards that it was told of and not told to let go of. */
  get shards(): number[] {
    const own = new Set<number>();
    for (const entry of this.told) {
      if (entry.kind === 'assigned') for (const shard of entry.shards) own.add(shard);
      if (entry.kind === 'revoked') for (const shard of entry.shards) own.delete(shard);
    }
    return [...own].sort((a, b) => a - b);
  }

  /** Resolves as soon as the condition holds; the test's own time limit ends it otherwise. */
  until(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ isMet, resolve }));
  }

  async assigned(shards: readonly number[]): Promise<void> {
    this.note({ kind: 'assigned', shards });
    await this.hooks.assigned?.(shards);
    this.note({ kind: 'assigned.done', shards });
  }

  async revoked(shards: readonly number[]): Promise<void> {
    this.note({ kind: 'revoked', shards });
    await this.hooks.revoked?.(shards);
    this.note({ kind: 'revoked.done', shards });
  }

  async messages(from: BusPartition, messages: readonly (BusMessage | RefusedMessage)[]): Promise<void> {
    this.note({ kind: 'messages', from, messages });
    await this.hooks.messages?.(from, messages);
  }

  expired(from: BusPartition, wanted: number, first: number): Promise<void> {
    this.note({ kind: 'expired', from, wanted, first });
    return Promise.resolve();
  }

  private note(entry: Told): void {
    this.told.push(entry);
    if (this.shared && 'shards' in entry) {
      for (const shard of entry.shards) this.shared.log.push(`${this.shared.by} ${entry.kind} ${shard}`);
    }
    const met = this.waiting.filter(({ isMet }) => isMet());
    this.waiting = this.waiting.filter((one) => !met.includes(one));
    for (const { resolve } of met) resolve();
  }
}

/** A door that a test opens. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
