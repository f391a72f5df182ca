import type { AnyEvent, TopicName } from '@moon/events';

/** The event's header with its place in its stream, which the relay alone gives (rule 27). */
export const STREAM_VERSION = 'streamVersion';

/** One partition of a topic. */
export interface BusPartition {
  topic: TopicName;
  partition: number;
}

/** Where a message stands on the broker. */
export interface BusPosition extends BusPartition {
  /** Grows by at least 1 from message to message of a partition. */
  offset: number;
}

/** A message that is an event of ours. */
export interface BusMessage extends BusPosition {
  event: AnyEvent;
  /** The shard that emitted it, or `operators`; null for feeds. */
  producer: string | null;
}

/** A message that is none: no CloudEvent, a version from the future, a body that breaks its schema, a forged source. */
export interface RefusedMessage extends BusPosition {
  /** Stable code, e.g. `unknown_version`. */
  reason: string;
  /** What was wrong, of what, and what was expected. */
  detail: string;
  /** As it came, for the dead-letter topic. */
  raw: {
    key: string | null;
    value: string;
    headers: Readonly<Record<string, string>>;
    /** How `value` holds a body that is no UTF-8. */
    encoding?: 'base64';
  };
}

/** Puts events on the broker. */
export interface EventPublisher {
  /**
   * Resolves when every replica in sync holds every event. Events of one topic and key arrive in the order of the calls,
   * over resends too. A broker that is away rejects nothing: it is tried again until `stop`, and counted and said after the
   * third failure (BRK-3).
   *
   * @param producer the shard that emitted them; receivers of the same name pass them over
   * @throws PublisherStopped the publisher was stopped before they were acknowledged
   * @throws PublishRefused one of them can never go there (too large, no such topic); the others may be on the broker
   */
  publish(events: readonly AnyEvent[], producer?: string): Promise<void>;
  /** Events that are not acknowledged yet. */
  readonly backlog: number;
  stop(): Promise<void>;
}

export class PublisherStopped extends Error {
  override readonly name = 'PublisherStopped';
  constructor(readonly unacknowledged: number) {
    super(`The publisher was stopped with ${unacknowledged} events that no broker had acknowledged.`);
  }
}

/** An event that no resend can help: one line that names it, the reason and what to do. */
export class PublishRefused extends Error {
  override readonly name = 'PublishRefused';
}

/** What a consumer tells its owner. Calls never overlap for one partition. */
export interface BusListener {
  /** These shards are this member's from now on. Their messages come after it resolves, from the positions that it names. */
  assigned(shards: readonly number[]): Promise<void>;
  /**
   * They are no longer: finish, store, let go. No other messages of theirs come once it is called; a call that is under way
   * may be. Resolves within the group's patience, or the group goes on without it.
   */
  revoked(shards: readonly number[]): Promise<void>;
  /**
   * Messages of one partition in their order. Back-pressure: the next batch of this partition comes when it has resolved.
   * When it rejects, the same messages come again.
   */
  messages(from: BusPartition, messages: readonly (BusMessage | RefusedMessage)[]): Promise<void>;
  /**
   * The broker keeps nothing older than `first`, but `wanted` was to be next: to be filled from the store (rule 27).
   * `first` below `wanted`: the topic was made anew, and all that it holds comes.
   */
  expired(from: BusPartition, wanted: number, first: number): Promise<void>;
}

/** A member of a consumer group. A shard owns partition p of every keyed topic where p modulo the number of shards is it. */
export interface BusConsumer {
  start(listener: BusListener): Promise<void>;
  /** Every partition of these topics that it knows of: none before the start, nor of topics that it does not read. */
  partitions(topics: readonly TopicName[]): BusPartition[];
  /** Reads on from there; only forward or back within what the broker keeps. */
  seek(to: BusPosition): void;
  /**
   * Notes that everything below these offsets is done with: where a successor without a checkpoint would start. Resolves when
   * the broker has noted it, or when the partitions are no longer this member's.
   */
  commit(next: readonly BusPosition[]): Promise<void>;
  pause(partitions: readonly BusPartition[]): void;
  resume(partitions: readonly BusPartition[]): void;
  /**
   * Resolves when the listener is done with everything that the broker had of these partitions at the call.
   *
   * @param patienceMs wall time for which nothing may move on (no broker says where a partition ends, nothing more is
   * delivered of one that is behind)
   * @returns false when that time was up, or the consumer was stopped
   */
  caughtUp(partitions: readonly BusPartition[], patienceMs: number): Promise<boolean>;
  /** Offsets between what was delivered and the end, by topic. */
  lag(): Readonly<Partial<Record<TopicName, number>>>;
  /** Leaves the group. */
  stop(): Promise<void>;
}

export const isRefused = (message: BusMessage | RefusedMessage): message is RefusedMessage => 'reason' in message;
