import type { AnyEvent } from '@moon/events';

/** Where a feed puts what it hears: the input side of a runtime. */
export interface FeedSink {
  /**
   * Takes an input event (`source` 'feed/<name>', `causationId` null, `correlationId` its own id, `headers.mode` the feed's).
   * @returns false once the runtime takes no more: the feed then stops by itself.
   */
  submit(event: AnyEvent): boolean;
  /**
   * A message that was refused and never published, to be counted by reason and logged.
   * @param reason stable code
   * @param message what was wrong, of what, and what was expected
   * @param sample the beginning of the message, one printable line of at most 200 characters
   */
  refused(reason: string, message: string, sample: string): void;
}

/** idle: not started · connecting: on the way, first or again · connected: prices arrive · paused: held back by `pause` · stopped: for good. */
export type FeedState = 'idle' | 'connecting' | 'connected' | 'paused' | 'stopped';

/** What a feed says about itself, for screens and health checks. */
export interface FeedStatus {
  name: string;
  mode: 'live' | 'synthetic';
  state: FeedState;
  /** One sentence: where the prices come from, or why there are none. */
  detail: string;
  /** Events that the sink took, warm-up left out. */
  events: number;
  /** Refused messages (or parts of messages) by reason. */
  refusedByReason: Record<string, number>;
  /** Facts that came a second time and were passed over. */
  repeats: number;
  reconnects: number;
  gaps: number;
  /** Venue time of the newest event, ms; null before the first. */
  lastEventAt: number | null;
}

/** A source of market data. Recorded files are no feed but an `InputSource`: they are read in lock-step (rule 4). */
export interface Feed {
  readonly name: string;
  readonly mode: 'live' | 'synthetic';
  /** Ids of the instruments that it prices. */
  instruments(): string[];
  /**
   * History that lets agents have views at once (rule 7), oldest first, every event with `headers.warmup`.
   * @param now run time, ms; no event is younger
   * @throws Error when the source does not answer
   */
  warmup(now: number): Promise<AnyEvent[]>;
  /** Begins to put events into the sink. Resolves once it is under way, not only when connected; losing the source is no error of it. */
  start(sink: FeedSink): Promise<void>;
  /** Holds back: nothing more reaches the sink until `resume`. What cannot be kept meanwhile is a gap, told as one. */
  pause(): void;
  resume(): void;
  /** Lets go of sockets and timers; afterwards nothing reaches the sink. */
  stop(): Promise<void>;
  status(): FeedStatus;
}
