import { hash } from 'node:crypto';
import * as sha1 from './sha1';

/**
 * Ids are derived, never random (rule 3): UUIDv5 (RFC 9562) over text in a fixed namespace. The same cause gives the
 * same id, on every machine and at every repeat.
 */

/** A namespace as bytes, and as the words that they make. */
interface Namespace {
  readonly bytes: Buffer;
  readonly words: Int32Array;
}

function namespaceOf(bytes: Buffer): Namespace {
  return { bytes, words: Int32Array.from([0, 4, 8, 12], (at) => bytes.readInt32BE(at)) };
}

/** Namespaces of Moon EDA; constants for good, since every stored id was made with them. */
const NAMESPACES = {
  derived: namespaceOf(Buffer.from('6e0b1f3ad8c25f0c9b1c5a2a4d7e9001', 'hex')),
  input: namespaceOf(Buffer.from('6e0b1f3ad8c25f0c9b1c5a2a4d7e9002', 'hex')),
  name: namespaceOf(Buffer.from('6e0b1f3ad8c25f0c9b1c5a2a4d7e9003', 'hex')),
} as const;

/** @param namespace sixteen bytes */
export const uuidv5 = (namespace: Buffer, name: string): string => uuidIn(namespaceOf(namespace), name);

/** @param more goes on where `name` ends: putting two texts together costs as much as digesting them */
function uuidIn(namespace: Namespace, name: string, more = ''): string {
  sha1.begin(namespace.words);
  sha1.take(name);
  sha1.take(more);
  return sha1.end(DIGEST) ? uuidOfDigest() : uuidOfLong(namespace, name + more);
}

/** The same for the JSON text of a list, without ever putting that text together. */
function uuidOfList(namespace: Namespace, list: readonly Scalar[], more: readonly Scalar[] = NOTHING): string {
  sha1.begin(namespace.words);
  let isPlain = true;
  for (let index = 0; isPlain && index < list.length; index += 1)
    isPlain = takeScalar(index > 0, list[index] as Scalar);
  for (let index = 0; isPlain && index < more.length; index += 1) isPlain = takeScalar(true, more[index] as Scalar);
  sha1.take(']');
  return isPlain && sha1.end(DIGEST) ? uuidOfDigest() : uuidOfLong(namespace, JSON.stringify([...list, ...more]));
}

type Scalar = string | number | boolean | null;
const NOTHING: readonly Scalar[] = [];
/** Printable ASCII without the quote and the backslash: stands for itself in JSON. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** @returns false for what has to be written by JSON itself */
function takeScalar(isLater: boolean, value: Scalar): boolean {
  sha1.take(isLater ? ',' : '[');
  if (typeof value !== 'string') {
    sha1.take(String(value));
    return typeof value !== 'number' || Number.isFinite(value);
  }
  if (!PLAIN.test(value)) return false;
  sha1.take('"');
  sha1.take(value);
  sha1.take('"');
  return true;
}

function uuidOfLong({ bytes }: Namespace, name: string): string {
  const digest = hash('sha1', Buffer.concat([bytes, Buffer.from(name, 'utf8')]), 'buffer');
  for (let word = 0; word < UUID_WORDS; word += 1) DIGEST[word] = digest.readInt32BE(4 * word);
  return uuidOfDigest();
}

/** The text of the id whose digest stands in `DIGEST`. */
function uuidOfDigest(): string {
  // Version 5 in the 13th digit, variant 10xx in the 17th.
  const second = (DIGEST[1]! & ~0xf000) | 0x5000;
  const third = (DIGEST[2]! & 0x3fffffff) | 0x80000000;
  put(0, DIGEST[0]! >>> 16);
  put(4, DIGEST[0]!);
  put(9, second >>> 16);
  put(14, second);
  put(19, third >>> 16);
  put(24, third);
  put(28, DIGEST[3]! >>> 16);
  put(32, DIGEST[3]!);
  return TEXT.latin1Slice(0, UUID_LENGTH);
}

/** Writes the lower sixteen bits as four digits. */
function put(at: number, bits: number): void {
  TEXT[at] = HEX[(bits >>> 12) & 15]!;
  TEXT[at + 1] = HEX[(bits >>> 8) & 15]!;
  TEXT[at + 2] = HEX[(bits >>> 4) & 15]!;
  TEXT[at + 3] = HEX[bits & 15]!;
}

const UUID_WORDS = 4;
const UUID_LENGTH = 36;
const HEX = Buffer.from('0123456789abcdef', 'latin1');
/** The digest of the id that is being made, and its text: used within one call only. */
const DIGEST = new Int32Array(5);
const TEXT = Buffer.alloc(UUID_LENGTH, '-') as Buffer & { latin1Slice(from: number, to: number): string };

/** Id of what a handler emits: from the id of its cause, the handler's name and the position among its outputs. */
export const derivedId = (causeId: string, handler: string, ordinal: number): string =>
  uuidIn(NAMESPACES.derived, causeId, suffixOf(handler, ordinal));

/** What follows on the cause's id, kept by emitter: there are a few for each portfolio and token. */
const suffixes = new Map<string, string[]>();
const MOST_EMITTERS = 1_024;

function suffixOf(handler: string, ordinal: number): string {
  let known = suffixes.get(handler);
  if (known === undefined) {
    if (suffixes.size >= MOST_EMITTERS) suffixes.clear();
    suffixes.set(handler, (known = []));
  }
  return ordinal < MOST_KEPT ? (known[ordinal] ??= `\n${handler}\n${ordinal}`) : `\n${handler}\n${ordinal}`;
}

const MOST_KEPT = 64;

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
  return uuidOfList(NAMESPACES.input, [source, kind, instrument, venueTime, ordinal], values);
}

/** Id from names alone, e.g. of an order: eventId('order', approvalId, portfolio). */
export const eventId = (kind: string, ...names: readonly string[]): string =>
  uuidOfList(NAMESPACES.name, [kind], names);
