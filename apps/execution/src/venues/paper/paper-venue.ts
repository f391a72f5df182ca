import { isDeepStrictEqual } from 'node:util';
import { completeVenueConfig, createVenueEngine, venueHashView, type PartialVenueConfig, type VenueEngine } from '@moon/backtesting';
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
}

const SNAPSHOT_EVERY = 20_000;
const REMEMBERED_INPUTS = 65_536;

/**
 * The paper venue: the one engine (rule 22) behind the Venue port, in this process. With a folder its books survive
 * `kill -9`: every input is in the journal before it is handled, orders and cancellations are flushed to the disk.
 */
export class PaperVenue implements VenuePort {
  readonly name: string;
  private readonly config: PartialVenueConfig;
  private readonly books_: DurableBooks | null;
  private readonly memory: InputMemory;
  private readonly faults: FaultInjector;
  private readonly snapshotEvery: number;
  private engine: VenueEngine;
  private sinceSnapshot = 0;

  /** @throws Error when the configuration does not fit, or the books cannot be opened or read */
  constructor(options: PaperVenueOptions = {}) {
    this.config = completeVenueConfig(options.config);
    this.name = this.config.name ?? 'paper';
    this.snapshotEvery = options.snapshotEvery ?? SNAPSHOT_EVERY;
    this.faults = new FaultInjector(options.announce);
    this.books_ = options.directory === undefined ? null : new DurableBooks(options.directory);
    const snapshot = this.books_?.snapshot ?? null;
    this.memory = new InputMemory(options.rememberedInputs ?? REMEMBERED_INPUTS, snapshot?.memory);
    this.engine = snapshot
      ? createVenueEngine(snapshot.config, { snapshot: snapshot.engine })
      : createVenueEngine(this.config);
    if (this.books_) this.restore(this.books_, snapshot?.config ?? null);
  }

  /** What had to be mended when the books were opened, in sentences for the log. */
  get notices(): readonly string[] {
    return this.books_?.notices ?? [];
  }

  openAccount(spec: AccountSpec): void {
    this.take({ k: 'open', spec }, true);
  }

  market(event: AnyEvent): VenueReport[] {
    if (!isMarketEvent(event)) return [];
    const answered = this.memory.answerTo(event.id);
    if (answered) return answered.flatMap(([portfolio, seq]) => this.reportsSince(portfolio, seq - 1).slice(0, 1));
    const { id, type, occurredAt, data } = event;
    return this.take({ k: 'market', event: { id, type, occurredAt, data } }, false);
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
      if (!this.books_ || !(error instanceof VenueRefused) || error.code !== 'reports_gone') throw error;
      return this.books_.archived(portfolio, venueSeq);
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
    if (!this.books_) return;
    this.saveSnapshot(this.books_);
    this.books_.close();
  }

  /** Ends as `kill -9` would: nothing more is written. For tests of the recovery. */
  abandon(): void {
    this.books_?.close();
  }

  private restore(books: DurableBooks, recorded: PartialVenueConfig | null): void {
    let config = recorded;
    for (const input of books.replay()) {
      if (input.k === 'config') {
        config = input.config;
        this.engine = createVenueEngine(config, { snapshot: this.engine.snapshot() });
      } else this.apply(input, (reports) => books.keep(reports));
      this.sinceSnapshot += 1;
    }
    if (isDeepStrictEqual(config, this.config)) return;
    // The configuration is an input (rule 8): what was decided under the old one stays as it was.
    books.write({ k: 'config', config: this.config }, true);
    this.engine = createVenueEngine(this.config, { snapshot: this.engine.snapshot() });
  }

  /** Journals an input, then handles it. @throws VenueUnreachable when it could not be journaled: nothing has happened then */
  private take(input: VenueInput, isCritical: boolean): VenueReport[] {
    const books = this.books_;
    if (!books) return this.handle(input);
    try {
      books.write(input, isCritical);
    } catch (error) {
      throw new VenueUnreachable(`The venue took nothing: ${(error as Error).message}`, { cause: error });
    }
    const reports = this.handle(input);
    books.keep(reports);
    this.sinceSnapshot += 1;
    if (this.sinceSnapshot >= this.snapshotEvery) this.saveSnapshot(books);
    return reports;
  }

  /** Handles an input of the journal again: what was refused then is refused now, and nobody waits for the answer. */
  private apply(input: VenueInput, keep: (reports: VenueReport[]) => void): void {
    try {
      keep(this.handle(input));
    } catch (error) {
      if (!(error instanceof VenueRefused)) throw error;
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
        return this.engine.advanceTo(input.ms);
      case 'submit':
        return this.engine.submit(input.order, input.rejectWith);
      case 'cancel':
        return this.engine.cancel(input.request);
      case 'open':
        this.engine.openAccount(input.spec);
        return [];
      case 'config':
        throw new Error('A configuration is taken on opening only.');
    }
  }

  private saveSnapshot(books: DurableBooks): void {
    books.save({ config: this.config, engine: this.engine.snapshot(), memory: this.memory.state() });
    this.sinceSnapshot = 0;
  }
}
