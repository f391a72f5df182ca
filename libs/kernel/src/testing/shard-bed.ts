import type { AnyEvent, EventType, TopicName } from '@moon/events';
import type { Handler } from '@moon/domain';
import { Engine } from '../core/engine';
import { addresseeOf } from '../core/operator-desk';
import { MemoryBus, type MemoryConsumer } from '../memory/memory-bus';
import { MemoryClusterLog } from '../memory/memory-shard-journal';
import type { RefusedMessage } from '../ports/bus';
import type { EffectAdapter } from '../ports/effect';
import type { ShardJournal } from '../ports/journal';
import type { LocalJournal } from '../ports/local-journal';
import { Shard } from '../runtime/sharded/shard';
import type { ShardOptions } from '../runtime/sharded/shard-options';
import { ShardGroup, type ShardGroupOptions } from '../runtime/sharded/shard-group';
import { SharedBroadcast } from '../runtime/sharded/shared-broadcast';
import type { VenueLink } from '../venue-link/venue-link';
import { ManualClock } from './manual-clock';
import { turns } from './live-bed';
import { T0 } from './venue-desk';

export interface ShardBedOptions {
  /** The consumer group; default: `group`. */
  name?: string;
  handlers: readonly Handler[];
  keyed: readonly TopicName[];
  broadcast?: readonly TopicName[];
  adapters?: readonly EffectAdapter[];
  /** Puts something between a shard and its journal. */
  journal?: (journal: ShardJournal) => ShardJournal;
  begin?: (engine: Engine, shard: number) => Promise<readonly AnyEvent[]>;
  /** What a shard takes; default: everything that its handlers name, and what operators ask of it. */
  takes?: (shard: number) => ShardOptions['takes'];
  /** The handlers under which what there is of a past is to be closed first. */
  past?: readonly Handler[];
  /** Errors after which a shard is opened again, at once. */
  isTransient?: (error: Error) => boolean;
  /** What the store has of a partition that the broker keeps no more; default: nothing. */
  fill?: ShardGroupOptions['fill'];
  /** Pause before a shard that broke is opened again, wall ms; default: none that a test waits for. */
  reopenMs?: number;
  /** How a shard is connected to a venue. */
  venue?: (shard: number) => VenueLink;
  onLive?: (...of: [...Parameters<NonNullable<ShardOptions['onLive']>>, shard: number]) => Promise<void>;
  /** See `ShardOptions`. */
  local?: LocalJournal;
  mostWaiting?: number;
  urgentMs?: number;
  /** See `ShardGroupOptions`. */
  patienceMs?: number;
}

/** A broker, a database and a clock in memory, and members of one group that come and go. */
export class ShardBed {
  readonly bus = new MemoryBus();
  readonly database = new MemoryClusterLog();
  readonly clock = new ManualClock(T0);
  readonly refused: RefusedMessage[] = [];

  constructor(readonly options: ShardBedOptions) {}

  /** A member that has been assigned these shards. */
  async member(shards: readonly number[] = [0], of = 1): Promise<ShardMember> {
    const member = new ShardMember(this, shards, of);
    await member.group.start();
    await turns();
    return member;
  }

  /** What was emitted: the published messages of a type. */
  published<T extends EventType>(type: T): Extract<AnyEvent, { type: T }>[] {
    return this.bus
      .messages()
      .filter(({ producer }) => producer !== null)
      .map(({ event }) => event)
      .filter((event): event is Extract<AnyEvent, { type: T }> => event.type === type);
  }
}

/** One process of the bed. */
export class ShardMember {
  readonly group: ShardGroup;
  readonly problems: string[] = [];
  readonly failures: Error[] = [];
  private isKilled = false;
  private readonly consumer: MemoryConsumer;
  /** Of what is read whole, as many as the broadcast opens. */
  readonly broadcasts: MemoryConsumer[] = [];

  constructor(
    private readonly bed: ShardBed,
    shards: readonly number[],
    of: number,
  ) {
    const { keyed, broadcast, name = 'group' } = bed.options;
    this.consumer = bed.bus.consumer(name, keyed, shards);
    this.group = new ShardGroup({
      name,
      shards: of,
      consumer: this.consumer,
      keyed,
      ...(broadcast && {
        broadcast: { line: new SharedBroadcast((topics) => this.readWhole(name, topics)), topics: broadcast },
      }),
      open: (shard, of) => this.open(shard, of),
      onRefused: (message) => Promise.resolve(void bed.refused.push(message)),
      fill: bed.options.fill ?? async function* () {},
      checkpointMs: 3_600_000,
      onProblem: (message) => this.problems.push(message),
      onBroken: (_shard, error) => this.failures.push(error),
      isTransient: (error) => bed.options.isTransient?.(error as Error) ?? false,
      patienceMs: bed.options.patienceMs,
      reopenMs: bed.options.reopenMs ?? (bed.options.isTransient ? 0 : 3_600_000),
    });
  }

  get shard(): Shard {
    const [shard] = this.group.shards;
    if (!shard) throw new Error('This member holds no shard.');
    return shard;
  }

  /** Ends at once, as a killed process does: nothing is finished and nothing stored. */
  kill(): void {
    this.isKilled = true;
    this.consumer.kill();
    for (const consumer of this.broadcasts) consumer.kill();
  }

  private readWhole(name: string, topics: readonly TopicName[]): MemoryConsumer {
    const consumer = this.bed.bus.consumer(`${name}-${Math.random()}`, topics);
    this.broadcasts.push(consumer);
    return consumer;
  }

  private open(index: number, of: Parameters<ShardGroupOptions['open']>[1]): Promise<Shard> {
    if (this.isKilled) return new Promise(() => undefined);
    const { database, bus, clock, options } = this.bed;
    const { handlers, past = [], adapters, begin, name = 'group', local, mostWaiting, urgentMs } = options;
    const shard = `${name}#${index}`;
    const venue = options.venue?.(index);
    const { onLive } = options;
    const plain = database.journal(shard);
    const types = new Set<EventType>(handlers.flatMap(({ consumes, broadcast = [] }) => [...consumes, ...broadcast]));
    return Shard.open({
      journal: options.journal?.(plain) ?? plain,
      publisher: bus.publisher(),
      clock,
      headers: { mode: 'synthetic' },
      owner: 'bed',
      takes: options.takes?.(index) ?? ((event) => types.has(event.type) || addresseeOf(event) === shard),
      ...{ local, mostWaiting, urgentMs, venue },
      ...(onLive && { onLive: (engine, submit, end) => onLive(engine, submit, end, index) }),
      ...(options.isTransient && { isTransient: (error) => options.isTransient!(error as Error) }),
      hasOtherSettings: () => Promise.resolve(options.past !== undefined),
      ...(begin && { begin: (engine) => begin(engine, index) }),
      createEngine: ({ log, onRequest }, closesPast) =>
        new Engine({
          ...{ handlers: closesPast ? past : handlers, adapters, log, onRequest, shard, isLockstep: true },
          ...(venue && { companions: [venue], onEvent: (event) => venue.observe(event) }),
        }),
      onProblem: (message) => this.problems.push(message),
      ...of,
    });
  }
}
