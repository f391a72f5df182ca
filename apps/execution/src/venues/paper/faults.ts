import { setTimeout as wait } from 'node:timers/promises';
import { VenueTimeout, type Awaitable, type VenueReport } from '@moon/kernel';

/** Misbehaviour on request, for tests of the platform. Times are wall time. */
export interface VenueFaults {
  /** Every answer to an order, a cancellation or a query comes this much later, ms. */
  slowMs: number;
  /** The answer to an accepted order comes this much later still, ms. */
  answerDelayMs: number;
  /** Says so, before it answers, whenever it has accepted an order. */
  announceAccepted: boolean;
  /** So many orders are accepted and never answered. */
  timeoutNext: number;
  /** So many orders are turned down with `rejectCode`. */
  rejectNext: number;
  rejectCode: string;
}

export const NO_FAULTS: Readonly<VenueFaults> = {
  slowMs: 0,
  answerDelayMs: 0,
  announceAccepted: false,
  timeoutNext: 0,
  rejectNext: 0,
  rejectCode: 'rejected_on_request',
};

/** Applies faults to the answers of a venue. */
export class FaultInjector {
  private faults: VenueFaults = { ...NO_FAULTS };

  /** @param announce called with the client order id of an accepted order, before the answer is given */
  constructor(private readonly announce: (clientOrderId: string) => void = () => undefined) {}

  /** Replaces the faults that are named; the others stay. @throws RangeError for a fault that does not exist or a value of another kind */
  set(faults: Partial<VenueFaults>): void {
    for (const [name, value] of Object.entries(faults)) {
      const known = Object.hasOwn(NO_FAULTS, name) ? NO_FAULTS[name as keyof VenueFaults] : undefined;
      const isFine =
        typeof value === typeof known && (typeof value !== 'number' || (Number.isSafeInteger(value) && value >= 0));
      if (!isFine) throw new RangeError(`There is no fault "${name}" of ${JSON.stringify(value)}.`);
    }
    this.faults = { ...this.faults, ...faults };
  }

  /** The code to turn the next order down with, or undefined. */
  takeRejection(): string | undefined {
    if (this.faults.rejectNext === 0) return undefined;
    this.faults.rejectNext -= 1;
    return this.faults.rejectCode;
  }

  /** The answer to an order that was handled, late or not at all. @throws VenueTimeout when it is not to be answered */
  answerOrder(clientOrderId: string, reports: VenueReport[]): Awaitable<VenueReport[]> {
    const isRejected = reports.some((report) => report.kind === 'rejected' || report.kind === 'expired');
    if (isRejected) return this.answer(reports);
    if (this.faults.announceAccepted) this.announce(clientOrderId);
    if (this.faults.timeoutNext > 0) {
      this.faults.timeoutNext -= 1;
      throw new VenueTimeout(`Order ${clientOrderId} was accepted and, as asked for, is not answered.`);
    }
    return this.delay(reports, this.faults.slowMs + this.faults.answerDelayMs);
  }

  answer<T>(value: T): Awaitable<T> {
    return this.delay(value, this.faults.slowMs);
  }

  private delay<T>(value: T, ms: number): Awaitable<T> {
    return ms === 0 ? value : late(value, ms);
  }
}

async function late<T>(value: T, ms: number): Promise<T> {
  await wait(ms);
  return value;
}
