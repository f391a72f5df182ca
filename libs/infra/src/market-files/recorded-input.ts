import { CATALOG, inputId, type AnyEvent, type EventData, type EventType } from '@moon/events';

type Values = readonly (string | number)[];

/** One type of input that files hold: what is the same for all of its events. */
export interface InputKind<T extends EventType = EventType> {
  readonly type: T;
  readonly schemaVersion: number;
  /** Order among events of one instant (rule 1). */
  readonly phase: number;
  /** What makes an event what it is, besides type, venue, instrument and time (rule 3). */
  identity(data: EventData<T>): Values;
}

/** Order of events of one instant: bar.closed, funding.update, all others, bar.opened. */
export const PHASE = { barClosed: 0, funding: 1, other: 2, barOpened: 3 } as const;

function kind<T extends EventType>(type: T, phase: number, identity: InputKind<T>['identity']): InputKind<T> {
  return { type, schemaVersion: CATALOG[type].schemaVersion, phase, identity };
}

export const BAR_OPENED = kind('bar.opened', PHASE.barOpened, ({ intervalMs, open }) => [intervalMs, open]);
export const BAR_CLOSED = kind('bar.closed', PHASE.barClosed, (bar) => [
  ...[bar.intervalMs, bar.open, bar.high, bar.low, bar.close],
  bar.volume,
]);
export const TRADE = kind('price.tick', PHASE.other, ({ price, size = 0, side = '' }) => [price, size, side]);
export const FUNDING = kind('funding.update', PHASE.funding, ({ rate }) => [rate]);
export const LIQUIDATION = kind('market.liquidation', PHASE.other, ({ side, price, size }) => [side, price, size]);
export const SENTIMENT = kind('market.sentiment', PHASE.other, ({ source, score, text }) => [source, score, text]);

/** A tick that a candle was taken apart into: it is told by the whole candle, and its ordinal is its place in it. */
export const CANDLE_TICK = kind('price.tick', PHASE.other, ({ price }) => [price]);

/** What all inputs of one file have in common. */
export interface InputOrigin {
  readonly venue: string;
  readonly headers: AnyEvent['headers'];
}

/** Market data have these two fields, whatever else they have. */
type MarketData = EventData<EventType> & { token: string; timestamp: number; instrument?: string };

/** Tells an input of a file apart beyond its own data. */
export interface Distinction {
  /** Position among equal rows, or of a tick in its candle. */
  ordinal: number;
  /** In place of what the data say. */
  values?: Values;
}

const ONLY_ONE: Distinction = { ordinal: 0 };

/** Open, high, low, close. */
const LAST_CANDLE_TICK = 3;

/**
 * An input of a file: an event whose id is derived when it is first looked at. Deriving one takes longer than reading a
 * row, and in a replay few ids of inputs are ever looked at. All inputs have one shape, whatever their type.
 *
 * `id` and `correlationId` are not own properties: a spread (`{ ...event }`) or a structured clone of such an event
 * lacks them. JSON has them; `plain` gives an ordinary object.
 */
export class RecordedInput {
  readonly type: EventType;
  readonly schemaVersion: number;
  readonly source = 'feed/recorded';
  readonly key: string;
  readonly occurredAt: number;
  readonly causationId = null;
  readonly data: EventData<EventType>;
  readonly headers: AnyEvent['headers'];
  readonly #kind: InputKind;
  readonly #origin: InputOrigin;
  readonly #distinction: Distinction;
  #id: string | undefined;

  private constructor(kind: InputKind, data: MarketData, origin: InputOrigin, distinction: Distinction) {
    this.#kind = kind;
    this.#origin = origin;
    this.#distinction = distinction;
    this.#id = undefined;
    this.type = kind.type;
    this.schemaVersion = kind.schemaVersion;
    this.key = data.token;
    this.occurredAt = data.timestamp;
    this.data = data;
    this.headers = origin.headers;
  }

  /** The envelope around data that have been checked. */
  static of<T extends EventType>(
    kind: InputKind<T>,
    data: EventData<T>,
    origin: InputOrigin,
    distinction: Distinction = ONLY_ONE,
  ): RecordedInput {
    return new RecordedInput(kind as unknown as InputKind, data as MarketData, origin, distinction);
  }

  get id(): string {
    return (this.#id ??= inputId({
      source: this.#origin.venue,
      kind: this.type,
      instrument: (this.data as MarketData).instrument ?? this.key,
      venueTime: this.occurredAt,
      values: this.identity,
      ordinal: this.#distinction.ordinal,
    }));
  }

  /** An input is the root of what follows from it. */
  get correlationId(): string {
    return this.id;
  }

  get phase(): number {
    return this.#kind.phase;
  }

  /** What tells it from another one of its type, instrument and time. */
  get identity(): Values {
    return this.#distinction.values ?? this.#kind.identity(this.data);
  }

  /** Position among equal rows, or of a tick in its candle. */
  get ordinal(): number {
    return this.#distinction.ordinal;
  }

  /** True for a tick that a candle was taken apart into. */
  get isOfCandle(): boolean {
    return this.#kind === CANDLE_TICK;
  }

  /** A row counts once: a candle is told by its close alone, as a bar and as ticks. */
  get tellsRow(): boolean {
    return this.#kind !== BAR_OPENED && (this.#kind !== CANDLE_TICK || this.ordinal === LAST_CANDLE_TICK);
  }

  /** The same input with other headers, which are no part of its id. */
  withHeaders(headers: AnyEvent['headers']): RecordedInput {
    const origin = { venue: this.#origin.venue, headers };
    return new RecordedInput(this.#kind, this.data as MarketData, origin, this.#distinction);
  }

  /** The same input as the one that follows `ordinal` equal ones. */
  withOrdinal(ordinal: number): RecordedInput {
    if (ordinal === this.ordinal) return this;
    return new RecordedInput(this.#kind, this.data as MarketData, this.#origin, { ordinal });
  }

  /** The event as an ordinary object. */
  get plain(): AnyEvent {
    const { id, type, schemaVersion, source, key, occurredAt, causationId, data, headers } = this;
    return {
      ...{ id, type, schemaVersion, source, key, occurredAt, correlationId: id, causationId, data, headers },
    } as unknown as AnyEvent;
  }

  toJSON(): AnyEvent {
    return this.plain;
  }
}

// An event is a plain object to every boundary: what has a prototype chain beyond its own accessors is refused there.
Object.setPrototypeOf(RecordedInput.prototype, null);

/** Typed as what it is to everybody else. */
export const asEvents = (inputs: readonly RecordedInput[]): readonly AnyEvent[] =>
  inputs as unknown as readonly AnyEvent[];
