import { CATALOG, type AnyEvent, type EventType } from '@moon/events';
import type { AnyCommand, Handler } from '@moon/domain';

/** A delivery that waits behind a poisoned one. */
export interface WaitingDelivery {
  event: AnyEvent;
  command?: AnyCommand;
  sender?: string;
}

/** A key that stopped at a poisoned event; what came after it waits in order. */
export interface ParkedKey {
  handler: string;
  key: string;
  eventId: string;
  seq: number;
  /** First the poisoned one. */
  waiting: WaitingDelivery[];
  /** Prices of what is broadcast that newer ones took the place of; not in snapshots of older code. */
  replaced?: number;
  /** Deliveries for which there was no room. */
  refused?: number;
}

/** What is told of a parked key from outside. */
export interface ParkedPlace extends Pick<ParkedKey, 'handler' | 'key' | 'eventId'> {
  waiting: number;
  replaced: number;
  refused: number;
  /** There is no room for more market data and opinions. */
  isFull: boolean;
}

/**
 * Deliveries of one key, prices of what is broadcast apart, from which on market data and opinions are refused: some
 * megabytes of a checkpoint.
 */
export const MOST_WAITING = 5_000;
/** What `EngineOptions.onParkedFull` says. */
export const PARKED_FULL =
  'so much waits for a key that stands still that market data and opinions are given up until it is released';
/** Of these the newest says it all to a handler that hears every instrument. */
const PRICES: ReadonlySet<EventType> = new Set(['price.tick', 'bar.opened', 'bar.closed']);
const OPINIONS: ReadonlySet<EventType> = new Set(['signal.generated', 'trade.consensus_approved']);
const DAY_MS = 86_400_000;

/** The queue behind one poisoned event. */
class Lot {
  private readonly waiting = new Set<WaitingDelivery>();
  /** Prices that wait, by what each is a price of. */
  private readonly prices = new Map<string, WaitingDelivery>();
  private replaced: number;
  private refused: number;

  /** @param handler null: one that these settings know no more */
  constructor(
    private readonly handler: Handler | null,
    private readonly place: Pick<ParkedKey, 'handler' | 'key' | 'eventId' | 'seq'>,
    { waiting, replaced = 0, refused = 0 }: Pick<ParkedKey, 'waiting' | 'replaced' | 'refused'>,
  ) {
    this.replaced = replaced;
    this.refused = refused;
    const [poisoned, ...behind] = waiting;
    if (poisoned) this.waiting.add(poisoned);
    // A checkpoint of older code has every price that ever came.
    for (const delivery of behind) this.put(delivery);
  }

  get eventId(): string {
    return this.place.eventId;
  }

  get seq(): number {
    return this.place.seq;
  }

  get isFull(): boolean {
    return this.waiting.size - this.prices.size >= MOST_WAITING;
  }

  deliveries(): WaitingDelivery[] {
    return [...this.waiting];
  }

  plain(): ParkedKey {
    const { replaced, refused } = this;
    const counts = { ...(replaced > 0 && { replaced }), ...(refused > 0 && { refused }) };
    return { ...this.place, waiting: this.deliveries(), ...counts };
  }

  summary(): ParkedPlace {
    const { handler, key, eventId } = this.place;
    const { replaced, refused, isFull } = this;
    return { handler, key, eventId, waiting: this.waiting.size, replaced, refused, isFull };
  }

  /** False when there was no room. */
  add(delivery: WaitingDelivery): boolean {
    const hasRoom = !this.isFull || !isDispensable(delivery) || this.priceOf(delivery) !== null;
    if (hasRoom) this.put(delivery);
    else this.refused += 1;
    return hasRoom;
  }

  /** A price goes to its own place in the order, so that nobody sees one before its time. */
  put(delivery: WaitingDelivery): void {
    const priceOf = this.priceOf(delivery);
    const known = priceOf === null ? undefined : this.prices.get(priceOf);
    if (known) this.replaced += 1;
    if (known && known.event.occurredAt > delivery.event.occurredAt) return;
    if (known) this.waiting.delete(known);
    this.waiting.add(delivery);
    if (priceOf !== null) this.prices.set(priceOf, delivery);
  }

  /** What a delivery is the newest price of, for a handler that hears the prices of all; null when it waits as it is. */
  private priceOf({ event, command }: WaitingDelivery): string | null {
    if (command || !PRICES.has(event.type) || this.handler?.broadcast?.includes(event.type) !== true) return null;
    const { type, source, data, occurredAt } = event;
    const { instrument, kind, intervalMs, derived } = data as Record<string, unknown>;
    // A day's profit begins with its last price before midnight UTC (rule 14).
    return JSON.stringify([type, source, instrument, kind, intervalMs, derived, Math.floor(occurredAt / DAY_MS)]);
  }
}

/** Parked keys of aggregates, sagas and projections (rule 25, ADR 0050). Plain data, part of the checkpoint. */
export class Parking {
  private readonly parked = new Map<string, Lot>();

  /** @param onFull told once when a key has no room for more opinions and market data */
  constructor(private readonly onFull: (place: ParkedPlace) => void = () => undefined) {}

  get isEmpty(): boolean {
    return this.parked.size === 0;
  }

  get(handler: string, key: string): Pick<ParkedKey, 'eventId' | 'seq'> | undefined {
    return this.parked.size === 0 ? undefined : this.parked.get(slot(handler, key));
  }

  /** Stops a key at a delivery; where it stands still already, the delivery waits behind, whatever else does. */
  park(handler: Handler, key: string, delivery: WaitingDelivery, seq: number): void {
    const place = { handler: handler.name, key, eventId: delivery.event.id, seq };
    const lot = this.parked.get(slot(handler.name, key));
    if (lot) lot.put(delivery);
    else this.parked.set(slot(handler.name, key), new Lot(handler, place, { waiting: [delivery] }));
  }

  /**
   * Puts a delivery behind a key that stands still: of the prices that it hears of all instruments the newest, of everything
   * else all, but opinions and market data only as long as there is room.
   *
   * @returns false for an opinion that found no room: to be recorded as skipped
   * @throws Error the key does not stand still
   */
  wait(handler: string, key: string, delivery: WaitingDelivery): boolean {
    const lot = this.parked.get(slot(handler, key));
    if (!lot) throw new Error(`${handler}/${key} does not stand still.`);
    const wasFull = lot.isFull;
    const isTaken = lot.add(delivery);
    if (!wasFull && lot.isFull) this.onFull(lot.summary());
    return isTaken || !OPINIONS.has(delivery.event.type);
  }

  unpark(handler: string, key: string): WaitingDelivery[] {
    const lot = this.parked.get(slot(handler, key));
    this.parked.delete(slot(handler, key));
    return lot?.deliveries() ?? [];
  }

  places(): ParkedPlace[] {
    return [...this.parked.values()].map((lot) => lot.summary());
  }

  list(): ParkedKey[] {
    return [...this.parked.values()].map((lot) => lot.plain());
  }

  /** @param handlerOf null for one that these settings know no more */
  restore(keys: readonly ParkedKey[], handlerOf: (name: string) => Handler | null): void {
    this.parked.clear();
    for (const { handler, key, eventId, seq, ...queue } of keys)
      this.parked.set(slot(handler, key), new Lot(handlerOf(handler), { handler, key, eventId, seq }, queue));
  }
}

/** What is not of the key's own making: it can be missed, and is in the log. Which instruments there are is said once. */
function isDispensable({ event: { type }, command }: WaitingDelivery): boolean {
  if (command || type === 'instrument.listed') return false;
  return OPINIONS.has(type) || CATALOG[type].category === 'market';
}

function slot(handler: string, key: string): string {
  return `${handler}\u0000${key}`;
}
