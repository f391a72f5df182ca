import type { AnyEvent } from '@moon/events';
import { asError } from '../../core/as-error';
import type { EngineSnapshot } from '../../core/checkpoint';
import { checkpointTexts } from '../../core/journal-codec';
import type { IdMark } from '../../core/recent-ids';
import { KEPT_INPUTS, type Engine } from '../../core/engine';
import type { HandlerState } from '../../core/handler-host';
import type { BusMessage, BusPartition, BusPosition } from '../../ports/bus';
import type { JournalBatch, ShardCheckpoint, ShardClaim } from '../../ports/journal';
import { LiveRuntime } from '../live';
import { bringIn } from './bring-in';
import type { CheckpointMeta } from './checkpoint-meta';
import { deferred, type Deferred } from './deferred';
import { HeardStreams } from './heard-streams';
import { JournalReplay, requireHeard, type ReplayStep } from './journal-replay';
import { MessageBuffer, Positions, slotOf } from './message-buffer';
import { ShardLog } from './shard-log';
import type { ShardOptions, ShardWiring } from './shard-options';
import { StreamNumbers, withoutOrders } from './stream-numbers';
import { Waits } from './waits';

/** The journal was handled again under the settings that it ends with, and a checkpoint taken: the new ones may begin. */
export class PastClosed extends Error {
  override readonly name = 'PastClosed';
  constructor(shard: string) {
    super(`The past of shard ${shard} was closed under the settings that it had.`);
  }
}

/** Messages that wait for their place in the journal, a partition, at which no more are asked for. */
const MOST_WAITING = 20_000;
/** One turn handles messages for this long before it lets timers and sockets in, wall ms. */
const TURN_MS = 8;
/** How long letting go waits for effects under way, wall ms; those that do not end are taken up by the next owner. */
const GRACE_MS = 1_000;
/** So often a checkpoint is taken even if nothing happened, for the positions in it: the broker keeps messages for a day. */
const RENEWED_MS = 60_000;

/**
 * One shard of a consumer group: an engine, fed by several partitions, with a journal of the order in which it handled
 * their messages. A new owner loads the checkpoint, handles the journal again in its order, and only then goes live.
 */
export class Shard {
  readonly engine: Engine;
  readonly log: ShardLog;
  /** Journal positions between its checkpoint and the end of its journal: what it had to handle again. */
  readonly toReplay: number;
  private readonly closesPast: boolean;
  private readonly live: LiveRuntime;
  private readonly buffer: MessageBuffer;
  private readonly positions: Positions;
  private readonly heardStreams: HeardStreams;
  private readonly numbers: StreamNumbers;
  private readonly replay: JournalReplay;
  private phase: 'replaying' | 'starting' | 'live' | 'closed' = 'replaying';
  /** Handling the journal again goes on by itself, after timers and sockets. */
  private isBetweenTurns = false;
  private readonly whenLive: Deferred;
  private saved: { seq: number; positions: readonly BusPosition[]; at: number } | null = null;
  private saving: Promise<unknown> = Promise.resolve();
  /** Up to where ids of inputs are stored. */
  private savedIds: IdMark;
  private readonly waits = new Waits();

  /** Claims the shard, and loads where it stands. Messages from `position` on lead it to the end of its journal. */
  static async open(options: ShardOptions): Promise<Shard> {
    const { journal, owner, onProblem } = options;
    const claimed = await journal.claim(owner);
    const claim = options.local ? await bringIn(journal, claimed, options.local, onProblem) : claimed;
    const hasOtherSettings = (await options.hasOtherSettings?.()) ?? false;
    const checkpoint = await journal.latestCheckpoint((problem) => onProblem(problem, { shard: journal.shard }));
    const batches: JournalBatch[] = [];
    for await (const batch of journal.read(checkpoint?.seq ?? 0)) batches.push(batch);
    requireHeard(journal.shard, batches, options.heard);
    const shard = new Shard({ ...options, closesPast: hasOtherSettings }, claim, checkpoint, batches);
    shard.advance();
    return shard;
  }

  private constructor(
    private readonly options: ShardOptions & { closesPast: boolean },
    private readonly claim: ShardClaim,
    checkpoint: ShardCheckpoint | null,
    batches: readonly JournalBatch[],
  ) {
    const { journal, publisher, clock, headers, venue, isTransient, onRetry, onWritten, highWater, local } = options;
    const meta: CheckpointMeta = checkpoint?.meta ?? {};
    this.heardStreams = new HeardStreams(meta.heard);
    this.numbers = new StreamNumbers(meta.hasOpenOrdersOnly ? meta.streams : withoutOrders(meta.streams ?? {}));
    this.log = new ShardLog({
      ...{ journal, publisher, claim, isTransient, onRetry, onWritten, highWater, local },
      onProblem: options.onProblem,
      numbers: this.numbers,
      onFatal: (error) => this.end(error),
    });
    this.toReplay = claim.lastSeq - (checkpoint?.seq ?? 0);
    this.closesPast = options.closesPast && this.toReplay > 0;
    const wiring: ShardWiring = {
      log: this.log,
      onRequest: (request) => {
        if (this.phase === 'live' || this.phase === 'starting') this.live.request(request);
      },
    };
    this.engine = options.createEngine(wiring, this.closesPast);
    this.live = new LiveRuntime({
      ...{ engine: this.engine, log: this.log, clock, headers, venue },
      turnMs: Number.POSITIVE_INFINITY,
      urgentMs: options.urgentMs,
      settle: options.settle,
      heard: () => this.heard(),
      onVenueSilent: options.onVenueSilent,
      onNotSecured: (error) => {
        const what = 'a force close waits for the store: it could not be kept on this machine';
        options.onProblem(what, { shard: journal.shard, error: error.message });
      },
      onFatal: (error) => this.end(error),
    });
    if (checkpoint) this.engine.remembered.restore(checkpoint.ids);
    this.savedIds = this.engine.remembered.mark;
    // Older code kept ids in its snapshot; they are newer than all pieces, and go to them with the next checkpoint.
    if (meta.engine) this.engine.restore(meta.engine);
    this.engine.host.restore(
      (checkpoint?.entries ?? []).map(({ handler, key, state }) => ({
        ...(state as Omit<HandlerState, 'handler' | 'key'>),
        handler,
        key,
      })),
    );
    this.positions = new Positions(checkpoint?.positions);
    this.buffer = new MessageBuffer(options.mostWaiting ?? MOST_WAITING);
    this.replay = new JournalReplay(journal.shard, batches, this.buffer, () => this.engine.lastSeq);
    this.whenLive = deferred();
    this.whenLive.promise.catch(() => undefined);
  }

  get name(): string {
    return this.options.journal.shard;
  }

  get isLive(): boolean {
    return this.phase === 'live';
  }

  /** For which partitions it waited longest while it was restored, ms: what held up a takeover. */
  get longestWaits(): Readonly<Record<string, number>> {
    return this.waits.longest;
  }

  /** Resolves when the journal has been handled again and the shard takes live messages. */
  get ready(): Promise<void> {
    return this.whenLive.promise;
  }

  /** Where to read on; undefined for a partition of which the shard has read nothing. */
  position(partition: BusPartition): number | undefined {
    return this.positions.of(partition);
  }

  /** True while this partition should bring no more messages. */
  isHeld(partition: BusPartition): boolean {
    return (this.phase === 'replaying' || this.phase === 'starting') && this.buffer.isFull(partition);
  }

  /** True while its journal goes on with this partition, and with no other. */
  awaits(partition: BusPartition): boolean {
    return this.phase === 'replaying' && this.waits.slot === slotOf(partition);
  }

  /** Resolves when a partition that is held may bring more: the shard has worked it off by half, lives, or was let go of. */
  room(partition: BusPartition): Promise<void> {
    return this.buffer.room(partition);
  }

  /** Takes messages of one partition in their order; those that it had already are passed over. */
  async take(messages: readonly BusMessage[]): Promise<void> {
    if (this.phase === 'live') return this.handleAll(messages);
    if (this.phase === 'closed') return;
    // The journal's own messages are a subset: what it does not name was passed over then and is so now.
    this.buffer.add(messages.filter((message) => message.offset >= (this.positions.of(message) ?? 0)));
    this.advance();
  }

  /** An event of the process itself, handled when the shard is between two inputs. */
  private submitLater(event: AnyEvent): void {
    setImmediate(() => {
      const { settle } = this.options;
      if (this.phase === 'live') this.live.submit(settle ? settle(event) : event);
    });
  }

  /** Handles the journal again as far as its messages are there, turn by turn; at its end the shard begins to live. */
  private advance(): void {
    if (this.phase !== 'replaying' || this.isBetweenTurns) return;
    try {
      for (const turnEnds = performance.now() + TURN_MS; ;) {
        const step = this.replay.next();
        this.waits.note(step.kind === 'wait' ? slotOf(step.position) : null);
        if (step.kind === 'wait') return;
        if (step.kind === 'end') break;
        this.again(step);
        if (performance.now() > turnEnds) return this.advanceLater();
      }
      if (this.engine.lastSeq !== this.claim.lastSeq) {
        throw new Error(
          `Shard ${this.name} is claimed at ${this.claim.lastSeq}, but its journal ends at ${this.engine.lastSeq}.`,
        );
      }
    } catch (thrown) {
      this.end(asError(thrown));
      return;
    }
    this.phase = 'starting';
    const next = this.closesPast ? this.closePast() : this.goLive();
    next.catch((thrown: unknown) => this.end(asError(thrown)));
  }

  private advanceLater(): void {
    this.isBetweenTurns = true;
    setImmediate(() => {
      this.isBetweenTurns = false;
      this.advance();
    });
  }

  private again(step: Extract<ReplayStep, { kind: 'input' | 'message' }>): void {
    if (step.kind === 'message') {
      this.log.expect(step.message);
      this.positions.advance(step.message, step.message.offset + 1);
      this.heardStreams.advance(step.message);
      this.engine.again(step.message.event);
    } else this.engine.again(step.event);
    this.engine.drain();
    this.log.expect(null);
  }

  private async closePast(): Promise<void> {
    this.log.recovered();
    // The next opening has nothing to handle again, hence nothing to feed.
    await this.options.venue?.feedAgain();
    await this.save();
    this.end(new PastClosed(this.name));
  }

  private async goLive(): Promise<void> {
    this.log.recovered();
    const inputs = (await this.options.begin?.(this.engine)) ?? [];
    if (this.phase !== 'starting') return;
    this.live.start(inputs);
    // What came in meanwhile, partition by partition: it is the first that is recorded as handled live.
    for (let lists = this.buffer.rest(); lists.length > 0; lists = this.buffer.rest()) {
      for (const list of lists) await this.handleAll(list, 'starting');
    }
    if (this.phase !== 'starting') return;
    this.phase = 'live';
    this.buffer.giveRoom();
    const submit = (event: AnyEvent): void => this.submitLater(event);
    await this.options.onLive?.(this.engine, submit, (error) => this.end(error));
    this.whenLive.resolve();
  }

  /** What the broker had for it at the call is handled, and what came while it was restored (rule 23). */
  private async heard(): Promise<void> {
    await Promise.all([this.ready, this.options.caughtUp?.()]);
  }

  private async handleAll(messages: readonly BusMessage[], phase: 'live' | 'starting' = 'live'): Promise<void> {
    let turnEnds = performance.now() + TURN_MS;
    for (const message of messages) {
      if (this.phase !== phase) return;
      if (!this.positions.advance(message, message.offset + 1)) continue;
      if (message.producer === this.name || !this.options.takes(message.event)) continue;
      if (!this.heardStreams.advance(message)) continue;
      this.log.expect(message);
      this.live.submit(message.event);
      this.log.expect(null);
      if (this.log.isFull) await this.log.room();
      if (performance.now() > turnEnds) {
        await new Promise((resolve) => setImmediate(resolve));
        turnEnds = performance.now() + TURN_MS;
      }
    }
  }

  /**
   * Stores one cut of the shard: states, engine, and the next offsets, once everything up to there is stored and published.
   * @returns the offsets below which no message is needed any more; null when the shard is not live
   */
  checkpoint(): Promise<BusPosition[] | null> {
    const saved = this.saving.then(() => (this.phase === 'live' ? (this.unchanged() ?? this.save()) : null));
    this.saving = saved.catch(() => undefined);
    return saved;
  }

  /** What the last checkpoint gave, while nothing has happened since: messages that were passed over may be read again. */
  private unchanged(): BusPosition[] | null {
    const { saved } = this;
    const isNew = saved?.seq === this.engine.lastSeq && performance.now() - saved.at < RENEWED_MS;
    return isNew ? [...saved.positions] : null;
  }

  private async save(): Promise<BusPosition[]> {
    const { journal } = this.options;
    const engine = this.engine.snapshot(false);
    this.log.cut();
    const positions = this.positions.list();
    const { mark } = this.engine.remembered;
    // Written down at once: states go on changing while everything below is stored and published.
    const checkpoint = checkpointTexts({
      ...{ seq: engine.seq, positions },
      entries: this.engine.host
        .states()
        .map(({ handler, key, state, now }) => ({ handler, key, state: { state, now } })),
      meta: this.meta(engine),
      ids: this.engine.remembered.packSince(this.savedIds, KEPT_INPUTS),
    });
    await this.log.settled();
    await journal.saveCheckpoint(checkpoint);
    this.savedIds = mark;
    this.saved = { seq: engine.seq, positions, at: performance.now() };
    return [...positions];
  }

  private meta(engine: EngineSnapshot): CheckpointMeta & Record<string, unknown> {
    return { engine, streams: this.numbers.list(), hasOpenOrdersOnly: true, heard: this.heardStreams.list() };
  }

  /**
   * Lets go of the shard in good order: what is under way is finished, stored and published, and a checkpoint taken.
   * @returns the offsets to commit; null when the shard was not live or is somebody else's already
   */
  async close(): Promise<BusPosition[] | null> {
    if (this.phase === 'closed') return null;
    if (this.phase !== 'live') {
      this.phase = 'closed';
      this.buffer.giveRoom();
      // Whoever waits for it to be live waits in vain.
      this.whenLive.reject(new Error(`Shard ${this.name} was let go of before it was live.`));
      this.options.onClose?.();
      await this.live.stop(0).catch(() => undefined);
      return null;
    }
    await this.live.settled(GRACE_MS);
    // Set after the last turn: a message that comes from here on is the next owner's.
    this.phase = 'closed';
    this.options.onClose?.();
    await this.live.stop(0);
    await this.saving;
    return this.save();
  }

  private end(error: Error): void {
    if (this.phase === 'closed') return;
    this.phase = 'closed';
    this.buffer.giveRoom();
    // Nothing of an input that was handled in part only may be stored: mended code would have to do the same half of it.
    this.log.abandon(error);
    this.options.onClose?.();
    this.whenLive.reject(error);
    this.live.abandon();
    void this.live.stop(0).catch(() => undefined);
    this.options.onEnd(error);
  }
}
