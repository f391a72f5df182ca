import { createHash } from 'node:crypto';

/**
 * RFC 8785 (JSON Canonicalization Scheme) text of a plain JSON value: members sorted by UTF-16 code units,
 * no white space, numbers and strings as ECMAScript prints them.
 * @throws TypeError for a value that JSON cannot hold (NaN, Infinity, bigint, function)
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`Canonical JSON cannot hold the number ${value}.`);
    return String(value);
  }
  if (Array.isArray(value))
    return `[${value.map((item) => canonicalJson(item === undefined ? null : item)).join(',')}]`;
  if (typeof value === 'object') {
    const members = value as Record<string, unknown>;
    let text = '';
    for (const { name, head } of sorted(Object.keys(members))) {
      const member = members[name];
      if (member !== undefined) text += `${text === '' ? '' : ','}${head}${canonicalJson(member)}`;
    }
    return `{${text}}`;
  }
  throw new TypeError(`Canonical JSON cannot hold a ${typeof value}.`);
}

/** A member's name, and what stands before its value. */
interface Member {
  readonly name: string;
  readonly head: string;
}

/** The names that were sorted last, and their order: what is written often, such as orders, has the same ones each time. */
let lastNames: readonly string[] = [];
let lastSorted: readonly Member[] = [];

function sorted(names: readonly string[]): readonly Member[] {
  let index = names.length === lastNames.length ? 0 : -1;
  while (index >= 0 && index < names.length) index = names[index] === lastNames[index] ? index + 1 : -1;
  if (index >= 0) return lastSorted;
  lastNames = names;
  lastSorted = [...names].sort().map((name) => ({ name, head: `${quoted(name)}:` }));
  return lastSorted;
}

/** Printable ASCII without the quote and the backslash stands for itself. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** Hexadecimal SHA-256 of the canonical JSON of a value. */
export function canonicalHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
