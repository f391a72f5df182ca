import { isDeepStrictEqual } from 'node:util';
import {
  completeVenueConfig,
  createVenueEngine,
  venueHashView,
  type PartialVenueConfig,
  type VenueEngine,
} from '@moon/backtesting';
import type { AnyEvent } from '@moon/events';
import {
  isMarketEvent,
  VenueRefused,
  VenueUnreachable,
  type AccountSpec,
  type Awaitable,
  type SignedCancel,
  type SignedOrder,
  type VenueBooks,
  type VenueOrderStatus,
  type VenuePort,
  type VenueReport,
} from '@moon/kernel';
import { DurableBooks, type VenueInput } from './durable-books';
import { FaultInjector, type VenueFaults } from './faults';
import { InputMemory } from './input-memory';

export interface PaperVenueOptions {
  config?: PartialVenueConfig;
  /** Folder of durable books; without one they live in memory only. */
  directory?: string;
  /** Inputs from one snapshot to the next. */
  snapshotEvery?: number;
  /** Handled market events that are recognised when they come again; 0 for runs in which none does. */
  rememberedInputs?: number;
  /** See `VenueFaults.announceAccepted`. */
  announce?: (clientOrderId: string) => void;
  /** What an operator should know: books mended on opening, a snapshot that could not be written. For the log. */
  notice?: (text: string) => void;
}

const SNAPSHOT_EVERY = 20_000;
const REMEMBERED_INPUTS = 65_536;

/**
 * The paper venue: the one engine (rule 22) behind the Venue port, in this process. With a folder its books survive
 * `kill -9`: every input is in the journal before it is handled. A power cut may cost the market events after the last
 * order: orders and cancellations are flushed to the disk, with everything before them.
 */
export class PaperVenue implements VenuePort {
  readonly name: string;
  private readonly config: PartialVenueConfig;
  private readonly disk: DurableBooks | null;
  private readonly memory: InputMemory;
  private readonly faults: FaultInjector;
  private readonly snapshotEvery: number;
  private readonly notice: (text: string) => void;
  private engine: VenueEngine;
  private sinceSnapshot = 0;

  /** @throws Error when the configuration does not fit, or the books cannot be opened or read */
  constructor(options: PaperVenueOptions = {}) {
    this.config = completeVenueConfig(options.config);
    this.name = this.config.name ?? 'paper';
    this.snapshotEvery = options.snapshotEvery ?? SNAPSHOT_EVERY;
    this.faults = new FaultInjector(options.announce);
    this.notice = options.notice ?? (() => undefined);
    this.disk = options.directory === undefined ? null : new DurableBooks(options.directory);
    const snapshot = this.disk?.snapshot ?? null;
    this.memory = new InputMemory(options.rememberedInputs ?? REMEMBERED_INPUTS, snapshot?.memory);
    try {
      this.engine = snapshot
        ? createVenueEngine(snapshot.config, { snapshot: snapshot.engine })
        : createVenueEngine(this.config);
      if (this.disk) this.restore(this.disk, snapshot?.config ?? null);
    } catch (error) {
      this.disk?.close();
      throw error;
    }
  }

  openAccount(spec: AccountSpec): void {
    this.take({ k: 'open', spec }, true);
  }

  market(event: AnyEvent): VenueReport[] {
    if (!isMarketEvent(event)) return [];
    const answered = this.memory.answerTo(event.id);
    if (answered) return this.answerOf(answered);
    const { id, type, occurredAt, data } = event;
    const reports = this.take({ k: 'market', event: { id, type, occurredAt, data } }, false);
    const answer = this.memory.answerTo(id) ?? [];
    return answer.length > reports.length ? this.answerOf(answer) : reports;
  }

  private answerOf(answer: NonNullable<ReturnType<InputMemory['answerTo']>>): VenueReport[] {
    return answer.flatMap(([portfolio, seq]) => this.reportsSince(portfolio, seq - 1).slice(0, 1));
  }

  advanceTo(ms: number): VenueReport[] {
    const due = this.engine.nextDueAt();
    if (ms <= this.engine.time && (due === null || due > ms)) return [];
    return this.take({ k: 'time', ms }, false);
  }

  nextDueAt(): number | null {
    return this.engine.nextDueAt();
  }

  submit(order: SignedOrder): Awaitable<VenueReport[]> {
    const { portfolio, orderId, clientOrderId, nonce, expiresAt, payload, signature } = order;
    const rejectWith = this.faults.takeRejection();
    const plain = { portfolio, orderId, clientOrderId, nonce, expiresAt, payload, signature };
    const reports = this.take({ k: 'submit', order: plain, ...(rejectWith === undefined ? {} : { rejectWith }) }, true);
    return this.faults.answerOrder(clientOrderId, reports);
  }

  cancel(request: SignedCancel): Awaitable<VenueReport[]> {
    return this.faults.answer(this.take({ k: 'cancel', request }, true));
  }

  query(portfolio: string, clientOrderId: string): Awaitable<VenueOrderStatus> {
    return this.faults.answer(this.engine.query(portfolio, clientOrderId));
  }

  reportsSince(portfolio: string, venueSeq: number): VenueReport[] {
    try {
      return this.engine.reportsSince(portfolio, venueSeq);
    } catch (error) {
      if (!this.disk || !(error instanceof VenueRefused) || error.code !== 'reports_gone') throw error;
      return this.disk.archived(portfolio, venueSeq);
    }
  }

  marketCauses(portfolio: string, venueSeq: number): Record<number, string> {
    return this.memory.causes(portfolio, venueSeq);
  }

  books(portfolio: string): VenueBooks {
    return this.engine.books(portfolio);
  }

  /** What the state hash sees of this venue (rule 6). */
  hashView(): Record<string, unknown> {
    return venueHashView(this.engine.state());
  }

  /** Misbehaves on request, for tests of the platform. */
  setFaults(faults: Partial<VenueFaults>): void {
    this.faults.set(faults);
  }

  /** Writes a last snapshot and lets go of the folder. */
  close(): void {
    if (!this.disk) return;
    this.save(this.disk);
    this.disk.close();
  }

  /** Ends as `kill -9` would: nothing more is written. For tests of the recovery. */
  abandon(): void {
    this.disk?.close();
  }

  private restore(disk: DurableBooks, recorded: PartialVenueConfig | null): void {
    for (const text of disk.notices) this.notice(text);
    let config = recorded;
    for (const input of disk.replay()) {
      if (input.k === 'config') {
        config = input.config;
        this.engine = createVenueEngine(config, { snapshot: this.engine.snapshot() });
      } else disk.keep(this.handleAgain(input));
      this.sinceSnapshot += 1;
    }
    if (isDeepStrictEqual(config, this.config)) return;
    // The configuration is an input (rule 8): what was decided under the old one stays as it was.
    disk.write({ k: 'config', config: this.config }, true);
    this.engine = createVenueEngine(this.config, { snapshot: this.engine.snapshot() });
  }

  /** Journals an input, then handles it. @throws VenueUnreachable when it could not be journaled: nothing has happened then */
  private take(input: VenueInput, isCritical: boolean): VenueReport[] {
    const { disk } = this;
    if (!disk) return this.handle(input);
    try {
      disk.write(input, isCritical);
    } catch (error) {
      throw new VenueUnreachable(`The venue took nothing: ${(error as Error).message}`, { cause: error });
    }
    const reports = this.handle(input);
    disk.keep(reports);
    this.sinceSnapshot += 1;
    if (this.sinceSnapshot >= this.snapshotEvery) this.trySave(disk);
    return reports;
  }

  /** Handles an input of the journal again: what failed then fails now, with the same state after it. */
  private handleAgain(input: VenueInput): VenueReport[] {
    try {
      return this.handle(input);
    } catch (error) {
      if (!(error instanceof VenueRefused))
        this.notice(`An input (${input.k}) failed again as it did before: ${String(error)}`);
      return [];
    }
  }

  private handle(input: VenueInput): VenueReport[] {
    switch (input.k) {
      case 'market': {
        const reports = this.engine.market(input.event as unknown as AnyEvent);
        this.memory.note(input.event.id, reports);
        return reports;
      }
      case 'time':
        return this.handOut(this.engine.advanceTo(input.ms), null);
      case 'submit':
        return this.handOut(this.engine.submit(input.order, input.rejectWith), input.order.portfolio);
      case 'cancel':
        return this.handOut(this.engine.cancel(input.request), input.request.portfolio);
      case 'open':
        this.engine.openAccount(input.spec);
        return [];
      case 'config':
        throw new Error('A configuration is taken on opening only.');
    }
  }

  /** Of what is another portfolio's than the caller's, its owner hears with the next market event. */
  private handOut(reports: VenueReport[], caller: string | null): VenueReport[] {
    if (reports.length > 0) this.memory.noteUnheard(reports.filter(({ portfolio }) => portfolio !== caller));
    return reports;
  }

  private save(disk: DurableBooks): void {
    disk.save({ config: this.config, engine: this.engine.snapshot(), memory: this.memory.state() });
    this.sinceSnapshot = 0;
  }

  /** The input has been journaled and handled: without a snapshot the journal only grows, and the next one is tried later. */
  private trySave(disk: DurableBooks): void {
    try {
      this.save(disk);
    } catch (error) {
      this.sinceSnapshot = 0;
      this.notice(`No snapshot could be written, the journal goes on: ${(error as Error).message}`);
    }
  }
}
