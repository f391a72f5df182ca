import { TOPICS, type TopicName } from '@moon/events';
import { KafkaConsumer, lagSamples, RedisProjectionCache, sample, type Sample } from '@moon/infra';
import {
  CacheWriter,
  isRefused,
  Projector,
  STREAM_VERSION,
  streamOfShard,
  type BusMessage,
  type BusPartition,
  type RefusedMessage,
} from '@moon/kernel';
import { NOT_SEEN, type CacheSeen } from '../cache-seen';
import { PROJECTIONS_GROUP } from '../connections';
import type { Part, PartContext } from '../process';
import { recorderPositions } from '../recorder-lag';

/**
 * Folds what the broker carries to what readers find in the cache. One process of several does: the one to which the
 * brokers gave the group. It begins with the log, so that what it holds is complete; the cache is compared with that.
 */
export class ProjectionsPart implements Part {
  readonly name = PROJECTIONS_GROUP;
  private readonly consumer: KafkaConsumer;
  private projector = new Projector();
  private writer: CacheWriter | null = null;
  private redis: RedisProjectionCache | null = null;
  private isStarted = false;
  private readonly counts = { fromLog: 0, fromBus: 0, written: 0 };

  constructor(private readonly context: PartContext) {
    const { config, logger, contracts } = context.connections;
    this.consumer = new KafkaConsumer({
      settings: config.kafka,
      logger,
      groupId: PROJECTIONS_GROUP,
      contracts,
      topics: Object.keys(TOPICS) as TopicName[],
      shards: 1,
    });
  }

  async start(): Promise<void> {
    await this.consumer.start({
      assigned: () => this.begin(),
      revoked: () => this.end(),
      messages: (from, messages) => this.take(from, messages),
      // What expired here is in the log, with which every new owner begins.
      expired: () => Promise.resolve(),
    });
    this.isStarted = true;
  }

  async stop(): Promise<void> {
    await this.end();
    await this.consumer.stop();
  }

  isUp(): boolean {
    return this.isStarted && this.problem() === null;
  }

  problem(): string | null {
    return this.consumer.absence();
  }

  cache(): CacheSeen | null {
    const { writer } = this;
    if (writer === null) return null;
    if (writer.detail === null) return NOT_SEEN;
    const { state, detail } = writer;
    return state === 'up' ? { isUp: true, detail } : { isUp: false, detail: `${state}: ${detail}` };
  }

  status(): object {
    const { counts, projector, writer } = this;
    return {
      ...counts,
      works: writer !== null,
      cache: writer?.state,
      cacheDetail: writer?.detail,
      backlog: writer?.backlog,
      views: projector.size,
      gaps: projector.gaps(),
      parked: projector.parked(),
      lag: this.consumer.lag(),
    };
  }

  metrics(): Sample[] {
    const { projector, writer } = this;
    return [
      sample('moon_projections_active', writer !== null),
      sample('moon_projections_written', writer?.state === 'up'),
      sample('moon_projections_backlog_updates', writer?.backlog ?? 0),
      sample('moon_projections_stale_streams', projector.parked().length),
      sample('moon_group_standstill_seconds', this.consumer.standstillMs() / 1_000, { group: PROJECTIONS_GROUP }),
      ...lagSamples(PROJECTIONS_GROUP, this.consumer.lag()),
    ];
  }

  private async begin(): Promise<void> {
    const { config, logger, clock, log } = this.context.connections;
    const onParked = (parked: object): void =>
      logger.error(parked, 'a projection is stale: its stream could not be folded on');
    this.projector = new Projector({ onParked });
    // The log may end before what this group has committed: it is read first up to where the recorder has come.
    const archived = await recorderPositions(config.kafka);
    for await (const row of log.readLog(0)) {
      this.projector.apply(row);
      this.counts.fromLog += 1;
    }
    this.projector.settle();
    for (const position of archived) this.consumer.seek(position);
    const onError = (error: Error): void => logger.debug({ err: error }, 'a connection to the cache broke');
    // It connects by itself: a cache that is away when the process starts holds up nobody.
    this.redis = RedisProjectionCache.open(config.redis, { onError });
    this.writer = new CacheWriter({
      cache: this.redis,
      clock,
      entries: () => this.projector.entries(),
      onState: (state, detail) => logger.warn({ state }, `the cache is ${state}: ${detail}`),
    });
    this.writer.start();
  }

  private async end(): Promise<void> {
    const { writer, redis } = this;
    this.writer = null;
    this.redis = null;
    await writer?.stop();
    await redis?.close();
  }

  private async take(from: BusPartition, messages: readonly (BusMessage | RefusedMessage)[]): Promise<void> {
    for (const message of messages) {
      if (isRefused(message)) continue;
      this.counts.fromBus += 1;
      this.show(message);
    }
    await this.fillGaps();
    const last = messages[messages.length - 1];
    if (last) this.consumer.commitSoon([{ ...from, offset: last.offset + 1 }]);
  }

  private show({ event, producer }: BusMessage): void {
    const version = event.headers?.[STREAM_VERSION];
    const streamId = streamOfShard(event, producer ?? '');
    this.write(streamId !== null && typeof version === 'number' ? { event, streamId, version } : { event });
  }

  private write(input: Parameters<Projector['fold']>[0]): void {
    const updates = this.projector.fold(input);
    this.counts.written += updates.length;
    this.writer?.write(updates);
  }

  /** A stream of which an event is missing goes on from the store (rule 27). */
  private async fillGaps(): Promise<void> {
    for (const { streamId, after } of this.projector.gaps()) {
      if (streamId.startsWith('state-')) continue;
      for await (const row of this.context.connections.log.readStream(streamId, after)) this.write(row);
    }
  }
}
