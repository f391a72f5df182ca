/** A copy of a map with one entry set: several times faster than a spread with a computed key. */
export function withEntry<V>(entries: Readonly<Record<string, V>>, key: string, value: V): Record<string, V> {
  const copy: Record<string, V> = {};
  for (const other in entries) copy[other] = entries[other] as V;
  copy[key] = value;
  return copy;
}

/**
 * An empty map by ids. All keys of such a map are new ones, and every new key of an object literal makes another hidden class;
 * an object that was made without a prototype is a hash table from its start, and stays one when it is given the usual one.
 */
function emptyById<V>(): Record<string, V> {
  return Object.setPrototypeOf(Object.create(null), Object.prototype) as Record<string, V>;
}

/** The same for a map by order ids. */
export function withId<V>(entries: Readonly<Record<string, V>>, id: string, value: V): Record<string, V> {
  const copy = emptyById<V>();
  for (const other in entries) copy[other] = entries[other] as V;
  copy[id] = value;
  return copy;
}

/** A copy of a map by order ids without one entry; all empty ones are one object, since nobody writes to it. */
export function withoutId<V>(entries: Readonly<Record<string, V>>, id: string): Readonly<Record<string, V>> {
  let copy: Record<string, V> | null = null;
  for (const other in entries) if (other !== id) copy = withId(copy ?? NO_ENTRIES, other, entries[other] as V);
  return copy ?? NO_ENTRIES;
}

const NO_ENTRIES: Readonly<Record<string, never>> = Object.freeze({});

/** A copy of a map without one entry. */
export function withoutEntry<V>(entries: Readonly<Record<string, V>>, key: string): Record<string, V> {
  const copy: Record<string, V> = {};
  for (const other in entries) {
    if (other !== key) copy[other] = entries[other] as V;
  }
  return copy;
}
