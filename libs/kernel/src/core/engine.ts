import { CATALOG, type AnyEvent } from '@moon/events';
import type { AnyCommand, Handler } from '@moon/domain';
import type { LogRow } from '../ports/event-store';
import type { EngineSnapshot } from './checkpoint';
import { deadlineId, DeadlineTable, type Deadline } from './deadline-table';
import { DispatchQueue } from './dispatch-queue';
import { EffectTracker } from './effect-tracker';
import type { Cause, Companion, EngineOptions } from './engine-options';
import { HandlerHost, isFailure, type Delivered, type DeliveryFailure, type Target } from './handler-host';
import { isOfFeed } from './feed-inputs';
import { OperatorDesk } from './operator-desk';
import { failureEvents, skippedEvent } from './failure-events';
import { Parking, type WaitingDelivery } from './parking';
import { RecentIds } from './recent-ids';
import { Recovery } from './recovery';

/** Recent input ids that are remembered at least, so that a resend by a feed or venue is dropped. */
const REMEMBERED_INPUTS = 100_000;
/** The newest of them that outlast a restart: more than a feed sends again after a reconnect. */
export const KEPT_INPUTS = 20_000;

/**
 * The deterministic core. Every event gets the next `seq` when it enters the queue, and is dispatched in that order;
 * what handlers emit goes to the end of the queue. So the log is the order in which everything was handled, and
 * handling the log again gives the same states and the same ids.
 */
export class Engine {
  readonly host: HandlerHost;
  readonly deadlines = new DeadlineTable();
  readonly parking = new Parking((place) => this.options.onParkedFull?.(place));
  readonly effects: EffectTracker;
  readonly streamVersions = new Map<string, number>();
  private readonly queue = new DispatchQueue();
  private seq = 0;
  private time = 0;
  private inputs = 0;
  /** Ids of recent inputs. */
  readonly remembered = new RecentIds(REMEMBERED_INPUTS);
  private readonly originals = new Map<string, AnyEvent>();
  private dispatched = 0;
  private isRecovering = false;
  private recovery = new Recovery();
  private readonly desk: OperatorDesk | null = null;
  private readonly companions: Companion[];

  constructor(private readonly options: EngineOptions) {
    this.host = new HandlerHost(options.handlers, {
      isGuarded: options.isGuarded,
      isShard: options.shard !== undefined,
    });
    this.effects = new EffectTracker(options.adapters ?? []);
    this.companions = [...(options.companions ?? [])];
    if (options.shard === undefined) return;
    const isAgent = (name: string): boolean =>
      options.handlers.some((handler) => handler.name === name && handler.role === 'agent');
    this.desk = new OperatorDesk(options.shard, this.parking, isAgent, () => this.time);
    this.companions.push(this.desk);
  }

  get lastSeq(): number {
    return this.seq;
  }

  /** The latest `occurredAt` seen, ms. */
  get now(): number {
    return this.time;
  }

  /** Inputs of feeds so far: where a recorded source goes on after a restart. */
  get feedInputs(): number {
    return this.inputs;
  }

  get queued(): number {
    return this.queue.length;
  }

  /** Position of the last event that was dispatched. */
  get dispatchedSeq(): number {
    return this.dispatched;
  }

  /** Takes an input from outside; false when its id was among the recent ones and it was dropped. */
  input(event: AnyEvent): boolean {
    if (this.remembered.has(event.id)) return false;
    if (this.desk && event.type === 'operator.command' && !this.desk.isNew(event)) return false;
    if (this.options.isLockstep) this.drain();
    this.remembered.add(event.id);
    this.sequence(event, true);
    return true;
  }

  /**
   * Takes an input that a journal names: it was taken then, whatever is remembered now. A checkpoint keeps fewer ids than
   * were remembered when it was made.
   */
  again(event: AnyEvent): void {
    if (this.desk && event.type === 'operator.command') this.desk.isNew(event);
    if (this.options.isLockstep) this.drain();
    this.remembered.add(event.id);
    this.sequence(event, true);
  }

  /** Takes a recorded input of a source that gives every input once; nothing is remembered of it. */
  feed(event: AnyEvent): void {
    this.sequence(event, true);
  }

  /** Dispatches the next event of the queue; false when there is none. */
  step(): boolean {
    const row = this.queue.shift();
    if (row !== undefined) this.dispatch(row.event, row.seq);
    return row !== undefined;
  }

  /** Dispatches until the queue is empty. */
  drain(): void {
    while (this.step());
  }

  /** The same, until `budgetMs` of wall time by `wall` is used up. */
  drainFor(budgetMs: number, wall: () => number): void {
    const end = wall() + budgetMs;
    for (let count = 1; this.step(); count += 1) if (count % 64 === 0 && wall() > end) return;
  }

  /** Takes what an agent of another thread emitted; what the log holds from before a restart is passed over. */
  accept(delivered: Delivered, cause: Cause): void {
    if (this.isRecovering) this.absorb(delivered, 'agent', cause);
    else
      this.absorb(
        { ...delivered, events: delivered.events.filter(({ id }) => !this.recovery.claim(id)) },
        'agent',
        cause,
      );
  }

  /** Makes an earlier event known, because an `event.replayed` is about to deliver it again. */
  provideOriginal(event: AnyEvent): void {
    this.originals.set(event.id, event);
  }

  /** @param withIds false: the ids of recent inputs are kept apart from it */
  snapshot(withIds = true): EngineSnapshot {
    return {
      seq: this.seq,
      time: this.time,
      feedInputs: this.inputs,
      streamVersions: Object.fromEntries(this.streamVersions),
      deadlines: this.deadlines.snapshot(),
      parked: this.parking.list(),
      openRequests: this.effects.unsettled(),
      ...(withIds && { ids: this.remembered.pack(KEPT_INPUTS) }),
      remembered: [],
      companions: Object.fromEntries(this.companions.map((one) => [one.name, one.snapshot()])),
    };
  }

  restore(snapshot: EngineSnapshot): void {
    this.seq = snapshot.seq;
    this.dispatched = snapshot.seq;
    this.time = snapshot.time;
    this.inputs = snapshot.feedInputs;
    // Where the log numbers streams, an older snapshot may still have them.
    if (this.options.log.keepsStreams)
      for (const [stream, version] of Object.entries(snapshot.streamVersions)) this.streamVersions.set(stream, version);
    this.deadlines.restore(snapshot.deadlines);
    this.parking.restore(snapshot.parked, (name) => (this.host.has(name) ? this.host.handler(name) : null));
    this.effects.restore(snapshot.openRequests);
    for (const id of snapshot.remembered) this.remembered.add(id);
    if (snapshot.ids) this.remembered.restore(snapshot.ids);
    for (const one of this.companions) {
      if (one.name in snapshot.companions) one.restore(snapshot.companions[one.name]);
    }
  }

  /** From here on events are handled from the log; what is emitted goes to the recovery, which knows what the log holds. */
  beginRecovery(recovery: Recovery): void {
    this.recovery = recovery;
    this.isRecovering = true;
  }

  /** From here on events happen again. What the log holds of agents in other threads is still recognised when they make it. */
  endRecovery(): void {
    this.isRecovering = false;
  }

  /** Handles a logged event again. */
  rehandle(row: LogRow): void {
    this.seq = row.seq;
    if (row.streamId !== undefined && row.version !== undefined) this.streamVersions.set(row.streamId, row.version);
    this.note(row.event);
    this.remembered.add(row.event.id);
    this.dispatch(row.event, row.seq);
  }

  /** Sequences an event: from here on it has happened. */
  sequence(event: AnyEvent, isInput = false): void {
    this.seq += 1;
    this.note(event);
    const row: LogRow = { seq: this.seq, event };
    if (this.options.log.keepsStreams) this.number(row);
    this.options.log.append(row, isInput);
    this.queue.push(row);
    this.options.onEvent?.(event, row.seq);
  }

  /** Gives a row of a stream its version. */
  private number(row: LogRow): void {
    const { store, streamId: streamOf } = CATALOG[row.event.type];
    const streamId = store === 'bus' ? null : streamOf(row.event.data);
    if (streamId === null) return;
    row.streamId = streamId;
    row.version = (this.streamVersions.get(streamId) ?? 0) + 1;
    this.streamVersions.set(streamId, row.version);
  }

  private note(event: AnyEvent): void {
    if (event.occurredAt > this.time) this.time = event.occurredAt;
    if (isOfFeed(event)) this.inputs += 1;
  }

  private dispatch(event: AnyEvent, seq: number): void {
    this.dispatched = seq;
    if (event.type === 'deadline.reached') this.deadlines.reached(event.data);
    const requests = this.effects.observe(event, seq);
    const targets = this.host.targets(event);
    if (this.isRecovering || !this.parking.isEmpty) for (const target of targets) this.deliver(target, event, seq);
    else for (const target of targets) this.attempt(target, event, seq, event);
    if (event.type === 'event.replayed') this.redeliver(event, seq);
    if (event.type === 'key.unparked') this.unpark(event, seq);
    if (event.type === 'operator.command' && this.desk) this.operate(this.desk.answer(event));
    this.options.remote?.post(seq, event);
    if (!this.isRecovering) for (const request of requests) this.options.onRequest?.(request);
  }

  /** @param cause what brought the delivery about: the event itself, or the record that delivers it again */
  private deliver(target: Target, event: AnyEvent, seq: number, cause: AnyEvent = event): void {
    const { handler, key } = target;
    const recorded = this.isRecovering ? this.recovery.recordedFailure(handler.name, key, event.id, seq) : undefined;
    if (recorded === 'skipped') return;
    if (recorded === 'parked') this.park(handler, key, { event }, seq);
    else if (this.parking.get(handler.name, key)) this.wait(target, event, seq, cause);
    else this.attempt(target, event, seq, cause);
  }

  /** Behind the event at which the key stands still; an opinion for which there is no room is skipped (rule 25). */
  private wait({ handler, key }: Target, event: AnyEvent, seq: number, cause: AnyEvent): void {
    if (this.parking.wait(handler.name, key, { event })) return;
    const error = `The key stands still, and too much waits for it: ${event.type} was given up.`;
    this.emit(skippedEvent({ handler: handler.name, handlerKey: key, event, seq, reason: 'error', error, cause }));
  }

  private attempt(target: Target, event: AnyEvent, seq: number, cause: AnyEvent): void {
    const result = this.host.deliver(target, event);
    if (isFailure(result)) this.fail(target.handler, result, seq, cause);
    else if (!result.isEmpty) this.take(result, target.handler.role, event);
  }

  private command(command: AnyCommand, cause: AnyEvent, sender: string): void {
    const owner = this.host.owner(command.type);
    if (!owner) throw new Error(`No handler owns the command ${command.type} that ${sender} sent.`);
    const delivery = { event: cause, command, sender };
    const isRecorded =
      this.isRecovering &&
      this.recovery.recordedFailure(owner.name, command.key, cause.id, this.dispatched) === 'parked';
    if (isRecorded) return this.park(owner, command.key, delivery, this.dispatched);
    if (this.parking.get(owner.name, command.key)) return void this.parking.wait(owner.name, command.key, delivery);
    const result = this.host.execute(command, cause, sender);
    if (isFailure(result)) this.fail(owner, result, this.dispatched, cause);
    else this.take(result, owner.role, cause);
  }

  private take(result: Delivered, role: Handler['role'], cause: AnyEvent): void {
    this.absorb(result, role, cause);
    if (cause.headers?.warmup) return;
    result.commands.forEach((command, index) =>
      this.command(command, cause, `${result.handler}/${result.key}:${index}`),
    );
  }

  /** Events and deadlines of a delivery. Of the warm-up only normalised inputs are kept (rule 7). */
  private absorb(result: Delivered, role: Handler['role'], cause: Cause): void {
    const isWarmup = cause.headers?.warmup === true;
    if (isWarmup && role !== 'normaliser') return;
    const { settle } = this.options;
    for (const event of result.events) this.emit(settle ? settle(event) : event);
    if (isWarmup) return;
    const { handler, key } = result;
    for (const change of result.deadlines) {
      if (!change.set) this.deadlines.cancel(handler, key, change.name);
      else {
        const { name, at, data } = change;
        const deadline = { handler, key, name, dueAt: at, data, causeId: cause.id, correlationId: cause.correlationId };
        if (!this.hasFired(deadline)) this.deadlines.set(deadline);
      }
    }
  }

  /** An agent of another thread that handles the log again may set a deadline that was reached long ago. */
  private hasFired(deadline: Deadline): boolean {
    return !this.host.has(deadline.handler) && this.recovery.size > 0 && this.recovery.isLogged(deadlineId(deadline));
  }

  private emit(event: AnyEvent): void {
    if (this.isRecovering) this.recovery.output(event);
    else this.sequence(event);
  }

  /** Rule 25: an agent skips the event, everything else parks its key; a portfolio with a parked key is halted. */
  private fail(handler: Handler, failure: DeliveryFailure, seq: number, cause: AnyEvent): void {
    this.options.onFailure?.(failure);
    const { event, command, sender } = failure;
    if (handler.role !== 'agent') this.park(handler, failure.key, { event, command, sender }, seq);
    for (const event of failureEvents(failure, handler, seq, cause)) this.emit(event);
    const owner = this.host.owner('RaiseHalt');
    if (handler.role !== 'agent' && handler.partitionedBy === 'portfolio' && owner && owner !== handler) {
      const halt = {
        type: 'RaiseHalt',
        key: failure.key,
        source: `parking:${handler.name}`,
        scope: 'portfolio',
      } as const;
      this.command(
        { ...halt, reason: 'parked_key', detail: failure.error.message.slice(0, 500) },
        failure.event,
        `parking/${handler.name}`,
      );
    }
  }

  /** Stops a key at a poisoned event; its handler may end what is open. */
  private park(handler: Handler, key: string, delivery: WaitingDelivery, seq: number): void {
    const ended = this.host.park(handler, key, delivery.event);
    if (ended && isFailure(ended)) this.options.onFailure?.(ended);
    else if (ended) this.absorb(ended, handler.role, delivery.event);
    this.parking.park(handler, key, delivery, seq);
  }

  private operate({ events, original }: ReturnType<OperatorDesk['answer']>): void {
    if (original) this.provideOriginal(original);
    for (const event of events) this.emit(event);
  }

  private redeliver(event: Extract<AnyEvent, { type: 'event.replayed' }>, seq: number): void {
    const { handler: name, handlerKey, replayedEventId } = event.data;
    const original = this.originals.get(replayedEventId);
    if (!original) throw new Error(`Dead letter ${replayedEventId} was to be replayed, but its event was not loaded.`);
    this.originals.delete(replayedEventId);
    if (this.host.has(name))
      this.deliver(
        { handler: this.host.handler(name), key: handlerKey },
        withHeaders(original, event.headers),
        seq,
        event,
      );
    else this.options.remote?.redeliver(seq, event, original);
  }

  private unpark(record: Extract<AnyEvent, { type: 'key.unparked' }>, seq: number): void {
    const { handler: name, handlerKey } = record.data;
    if (!this.host.has(name)) return;
    const handler = this.host.handler(name);
    for (const waiting of this.parking.unpark(name, handlerKey)) {
      // It stands still at another one of them.
      if (this.parking.get(name, handlerKey)) this.parking.park(handler, handlerKey, waiting, seq);
      else if (waiting.command) this.command(waiting.command, waiting.event, waiting.sender ?? name);
      else this.deliver({ handler, key: handlerKey }, waiting.event, seq, record);
    }
    const isWhole = this.parking.get(name, handlerKey) === undefined;
    if (!isWhole || handler.partitionedBy !== 'portfolio' || this.host.owner('LiftHalt') === undefined) return;
    const halt = { key: handlerKey, source: `parking:${name}`, scope: 'portfolio', reason: 'parked_key' } as const;
    this.command({ type: 'LiftHalt', ...halt }, record, `parking/${name}`);
  }
}

/** The same event under other headers; an event may compute its id on demand, so it is no plain object to be spread. */
function withHeaders(event: AnyEvent, headers: AnyEvent['headers']): AnyEvent {
  const { id, type, schemaVersion, source, key, occurredAt, correlationId, causationId, data } = event;
  return { id, type, schemaVersion, source, key, occurredAt, correlationId, causationId, data, headers } as AnyEvent;
}
