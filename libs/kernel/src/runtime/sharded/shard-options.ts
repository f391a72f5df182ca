import type { AnyEvent, TopicName } from '@moon/events';
import type { OpenRequest } from '../../core/effect-tracker';
import type { Engine } from '../../core/engine';
import type { EventPublisher } from '../../ports/bus';
import type { Clock } from '../../ports/clock';
import type { ShardJournal } from '../../ports/journal';
import type { LocalJournal } from '../../ports/local-journal';
import type { VenueLink } from '../../venue-link/venue-link';
import type { ShardLog, ShardLogOptions } from './shard-log';

/** What a shard needs of its engine to be wired. */
export interface ShardWiring {
  log: ShardLog;
  /** To be called with every request of the engine. */
  onRequest: (request: OpenRequest) => void;
}

export interface ShardOptions extends Pick<ShardLogOptions, 'isTransient' | 'onRetry' | 'onWritten' | 'highWater'> {
  journal: ShardJournal;
  publisher: Pick<EventPublisher, 'publish'>;
  clock: Clock;
  headers: AnyEvent['headers'];
  /** Names this instance in the journal. */
  owner: string;
  /** Where it keeps, and finds, what must not wait for a store that is away. */
  local?: LocalJournal;
  /** An engine in lock-step with the handlers and adapters of this shard. @param closesPast under the settings that its journal ends with */
  createEngine: (wiring: ShardWiring, closesPast: boolean) => Engine;
  venue?: VenueLink;
  /** False for a message that nobody in this shard takes: of a type that neither a handler names nor its venue is fed with, or of a key that another shard owns. */
  takes: (event: AnyEvent) => boolean;
  /** What the shard takes in before its first live message: its settings, what a venue reported meanwhile. */
  begin?: (engine: Engine) => Promise<readonly AnyEvent[]>;
  /**
   * Asked once the shard is claimed: whether its settings are not to be those that its journal ends with. Where there is
   * something to handle again, that is done under the old ones, a checkpoint taken, and the shard ends with `PastClosed`, to
   * be opened anew (rules 1 and 8).
   */
  hasOtherSettings?: () => Promise<boolean>;
  /** Messages of one partition that wait for their place in the journal at which it is to bring no more; default 20,000. */
  mostWaiting?: number;
  /** See `LiveOptions`. */
  urgentMs?: number;
  settle?: (event: AnyEvent) => AnyEvent;
  /** Topics whose messages are brought to the shard: its journal may name no other. Default: all. */
  heard?: ReadonlySet<TopicName>;
  /** Resolves when the shard has been given all that the broker had for it at the call; default: at once. */
  caughtUp?: () => Promise<unknown>;
  /** Called when the shard is live. @param end breaks it, and nothing else; without effect once it is let go of */
  onLive?: (engine: Engine, submit: (event: AnyEvent) => void, end: (error: Error) => void) => Promise<void>;
  onVenueSilent?: (error: Error) => void;
  onProblem: (message: string, context: Record<string, unknown>) => void;
  /** Called once when the shard is let go of, for whatever reason. */
  onClose?: () => void;
  /** Told once when the shard can go on no more: it was taken over (`ShardLost`), or broke. */
  onEnd: (error: Error) => void;
}
