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
  const hex = hash('sha1', Buffer.concat([namespace, Buffer.from(name, 'utf8')]), 'hex');
  // Version 5 in the 13th digit, variant 10xx in the 17th.
  const variant = '89ab'[parseInt(hex[16]!, 16) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

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
