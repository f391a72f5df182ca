import type { AnyEvent, EventData, EventType } from '@moon/events';

/**
 * An input as the store has it, whose id becomes text when it is first looked at. `id` and `correlationId` are not own
 * properties, as in an input of a file: a spread or a structured clone lacks them, JSON has them.
 */
export class StoredInput {
  readonly type: EventType;
  readonly schemaVersion: number;
  readonly source: string;
  readonly key: string;
  readonly occurredAt: number;
  readonly causationId = null;
  readonly data: EventData<EventType>;
  readonly headers: AnyEvent['headers'];
  #id: string | undefined;
  /** The id in four pieces of 32 bits. */
  readonly #a: number;
  readonly #b: number;
  readonly #c: number;
  readonly #d: number;

  /** @param at where the 16 bytes of the id begin */
  constructor(event: Omit<AnyEvent, 'id' | 'correlationId' | 'causationId'>, bytes: Buffer, at: number) {
    this.#id = undefined;
    this.#a = bytes.readInt32BE(at);
    this.#b = bytes.readInt32BE(at + 4);
    this.#c = bytes.readInt32BE(at + 8);
    this.#d = bytes.readInt32BE(at + 12);
    this.type = event.type;
    this.schemaVersion = event.schemaVersion;
    this.source = event.source;
    this.key = event.key;
    this.occurredAt = event.occurredAt;
    this.data = event.data;
    this.headers = event.headers;
  }

  get id(): string {
    return (this.#id ??= uuidOf(this.#a, this.#b, this.#c, this.#d));
  }

  get correlationId(): string {
    return this.id;
  }

  toJSON(): AnyEvent {
    const { id, type, schemaVersion, source, key, occurredAt, causationId, data, headers } = this;
    return {
      ...{ id, type, schemaVersion, source, key, occurredAt, correlationId: id, causationId, data },
      ...(headers !== undefined && { headers }),
    } as unknown as AnyEvent;
  }
}

// An event is a plain object to every boundary: what has a prototype chain beyond its own accessors is refused there.
Object.setPrototypeOf(StoredInput.prototype, null);

function uuidOf(a: number, b: number, c: number, d: number): string {
  const [one, two, three, four] = [hex(a), hex(b), hex(c), hex(d)];
  return `${one}-${two.slice(0, 4)}-${two.slice(4)}-${three.slice(0, 4)}-${three.slice(4)}${four}`;
}

function hex(piece: number): string {
  return (piece >>> 0).toString(16).padStart(8, '0');
}
