import { setTimeout as wait } from 'node:timers/promises';
import type { AnyEvent } from '@moon/events';
import {
  VenueUnreachable,
  type AccountSpec,
  type SignedCancel,
  type SignedOrder,
  type VenueBooks,
  type VenueOrderStatus,
  type VenuePort,
  type VenueReport,
} from '@moon/kernel';
import { Connection, ConnectionLost } from './connection';
import type { VenueFaults } from './faults';
import { REPORTS_PER_PAGE } from './protocol';

export interface RemotePaperVenueOptions {
  name?: string;
  host?: string;
  port: number;
  /** Longest wait for a connection, wall ms. */
  connectTimeoutMs?: number;
  /** Longest wait for an answer, wall ms; after it the outcome is unknown. */
  requestTimeoutMs?: number;
  /** How long calls that may be repeated go on trying after the connection was lost, wall ms. */
  retryForMs?: number;
}

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;
/** Market events whose answers are remembered: shards of one process are never so far apart. */
const TOLD = 5_000;

/**
 * The paper venue of another process, behind the same port. Orders and cancellations are sent once: what became of
 * them when no answer comes is for the platform to ask (VenueTimeout). Everything else may be repeated without harm
 * and is, over a new connection, for `retryForMs`.
 */
export class RemotePaperVenue implements VenuePort {
  readonly name: string;
  private readonly connection: Connection;
  private readonly retryForMs: number;
  /** Answers to the newest market events, by their ids. */
  private readonly told = new Map<string, Promise<VenueReport[]>>();
  /** The newest report of each portfolio that this client has handed on. */
  private readonly handedOn = new Map<string, number>();

  constructor(options: RemotePaperVenueOptions) {
    this.name = options.name ?? 'paper';
    this.retryForMs = options.retryForMs ?? 10_000;
    this.connection = new Connection({
      host: options.host ?? '127.0.0.1',
      port: options.port,
      connectTimeoutMs: options.connectTimeoutMs ?? 2_000,
      requestTimeoutMs: options.requestTimeoutMs ?? 5_000,
    });
  }

  async openAccount(spec: AccountSpec): Promise<void> {
    await this.repeatable('openAccount', [spec]);
    const { lastVenueSeq } = await this.books(spec.portfolio);
    if (!this.handedOn.has(spec.portfolio)) this.handedOn.set(spec.portfolio, lastVenueSeq);
  }

  /** Every shard of a process hears every price: the venue is told of each once, and all get its answer. */
  market(event: AnyEvent): Promise<VenueReport[]> {
    const known = this.told.get(event.id);
    if (known) return known;
    const answer = this.tell(event);
    this.told.set(event.id, answer);
    if (this.told.size > TOLD) this.told.delete(this.told.keys().next().value as string);
    // Whoever tells it again after a failure must reach the venue.
    answer.catch(() => this.told.delete(event.id));
    return answer;
  }

  private async tell(event: AnyEvent): Promise<VenueReport[]> {
    return this.handOn((await this.repeatable('market', [event])).result as VenueReport[]);
  }

  async advanceTo(ms: number): Promise<VenueReport[]> {
    const { result, wasRepeated } = await this.repeatable('advanceTo', [ms]);
    // The first call may have fired what was due, and its answer is lost: the reports are fetched by their numbers.
    return wasRepeated ? this.missed() : this.handOn(result as VenueReport[]);
  }

  async nextDueAt(): Promise<number | null> {
    return (await this.repeatable('nextDueAt', [])).result as number | null;
  }

  async submit(order: SignedOrder): Promise<VenueReport[]> {
    return this.handOn((await this.connection.call('submit', [order])) as VenueReport[]);
  }

  async cancel(request: SignedCancel): Promise<VenueReport[]> {
    return this.handOn((await this.connection.call('cancel', [request])) as VenueReport[]);
  }

  async query(portfolio: string, clientOrderId: string): Promise<VenueOrderStatus> {
    return (await this.repeatable('query', [portfolio, clientOrderId])).result as VenueOrderStatus;
  }

  async reportsSince(portfolio: string, venueSeq: number): Promise<VenueReport[]> {
    const reports: VenueReport[] = [];
    for (let from = venueSeq; ;) {
      const page = (await this.repeatable('reportsSince', [portfolio, from])).result as VenueReport[];
      reports.push(...page);
      const last = page.at(-1);
      if (!last || page.length < REPORTS_PER_PAGE) return this.handOn(reports);
      from = last.venueSeq;
    }
  }

  async marketCauses(portfolio: string, venueSeq: number): Promise<Record<number, string>> {
    return (await this.repeatable('marketCauses', [portfolio, venueSeq])).result as Record<number, string>;
  }

  async books(portfolio: string): Promise<VenueBooks> {
    return (await this.repeatable('books', [portfolio])).result as VenueBooks;
  }

  /** Makes the venue misbehave, for tests of the platform. */
  async setFaults(faults: Partial<VenueFaults>): Promise<void> {
    await this.connection.call('setFaults', [faults]);
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  /** A call whose second time does no harm. A venue that is connected and silent is not asked again. */
  private async repeatable(method: string, params: unknown[]): Promise<{ result: unknown; wasRepeated: boolean }> {
    const giveUpAt = performance.now() + this.retryForMs;
    for (let pauseMs = FIRST_PAUSE_MS, wasRepeated = false; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return { result: await this.connection.call(method, params), wasRepeated };
      } catch (error) {
        const mayRepeat = error instanceof VenueUnreachable || error instanceof ConnectionLost;
        if (!mayRepeat || performance.now() + pauseMs > giveUpAt) throw error;
        // A venue that came back is told again by whoever believes that it may have missed something.
        this.told.clear();
        wasRepeated = true;
        await wait(pauseMs);
      }
    }
  }

  private handOn(reports: VenueReport[]): VenueReport[] {
    for (const { portfolio, venueSeq } of reports) {
      this.handedOn.set(portfolio, Math.max(venueSeq, this.handedOn.get(portfolio) ?? 0));
    }
    return reports;
  }

  private async missed(): Promise<VenueReport[]> {
    const reports: VenueReport[] = [];
    for (const [portfolio, venueSeq] of [...this.handedOn])
      reports.push(...(await this.reportsSince(portfolio, venueSeq)));
    return reports.sort((a, b) => a.timestamp - b.timestamp);
  }
}
