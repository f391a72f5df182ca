import { hash } from 'node:crypto';

/**
 * Ids are derived, never random (rule 3): UUIDv5 (RFC 9562) over text in a fixed namespace. The same cause gives the
 * same id, on every machine and at every repeat.
 */

/** Namespaces of Moon EDA; constants for good, since every stored id was made with them. */
const NAMESPACES = {
  derived: Buffer.from('6e0b1f3ad8c25f0c9b1c5a2a4d7e9001', 'hex'),
  input: Buffer.from('6e0b1f3ad8c25f0c9b1c5a2a4d7e9002', 'hex'),
  name: Buffer.from('6e0b1f3ad8c25f0c9b1c5a2a4d7e9003', 'hex'),
} as const;

export function uuidv5(namespace: Buffer, name: string): string {
  // UTF-8 takes at most three bytes a UTF-16 unit; nearly every name fits the room that is there already.
  const room =
    name.length * 3 <= ROOM.length - NAMESPACE_BYTES ? ROOM : Buffer.alloc(NAMESPACE_BYTES + name.length * 3);
  namespace.copy(room);
  const end = NAMESPACE_BYTES + room.write(name, NAMESPACE_BYTES, 'utf8');
  // As text of one character a byte: a buffer for each digest costs more than the digest.
  const digest = hash('sha1', room.subarray(0, end), 'binary');
  let at = 0;
  for (let index = 0; index < UUID_BYTES; index += 1) {
    if (index === 4 || index === 6 || index === 8 || index === 10) TEXT[at++] = DASH;
    let byte = digest.charCodeAt(index);
    // Version 5 in the 13th digit, variant 10xx in the 17th.
    if (index === 6) byte = (byte & 0x0f) | 0x50;
    else if (index === 8) byte = (byte & 0x3f) | 0x80;
    TEXT[at++] = HEX[byte >> 4]!;
    TEXT[at++] = HEX[byte & 15]!;
  }
  return TEXT.toString('latin1');
}

const NAMESPACE_BYTES = 16;
const UUID_BYTES = 16;
const UUID_LENGTH = 36;
const DASH = 0x2d;
const HEX = Buffer.from('0123456789abcdef', 'latin1');
/** Namespace and name of the id that is being made, and its text: used within one call only. */
const ROOM = Buffer.alloc(4_096);
const TEXT = Buffer.alloc(UUID_LENGTH);

/** Id of what a handler emits: from the id of its cause, the handler's name and the position among its outputs. */
export const derivedId = (causeId: string, handler: string, ordinal: number): string =>
  uuidv5(NAMESPACES.derived, `${causeId}\n${handler}\n${ordinal}`);

export interface InputIdentity {
  source: string;
  kind: string;
  instrument: string;
  /** The venue's own time, epoch milliseconds. */
  venueTime: number;
  /** The venue's own id, or else the values that make the input what it is. */
  values: readonly (string | number | boolean | null)[];
  /** Position among equal rows; 0 where equal rows are one. */
  ordinal?: number;
}

/** Id of an outside event: a gap-fill, a second import or a resend of the same thing gives the same id. */
export function inputId(identity: InputIdentity): string {
  const { source, kind, instrument, venueTime, values, ordinal = 0 } = identity;
  return uuidv5(NAMESPACES.input, JSON.stringify([source, kind, instrument, venueTime, ordinal, ...values]));
}

/** Id from names alone, e.g. of an order: eventId('order', approvalId, portfolio). */
export const eventId = (kind: string, ...names: readonly string[]): string =>
  uuidv5(NAMESPACES.name, JSON.stringify([kind, ...names]));
