/** A copy of a map with one entry set: several times faster than a spread with a computed key. */
export function withEntry<V>(entries: Readonly<Record<string, V>>, key: string, value: V): Record<string, V> {
  const copy: Record<string, V> = {};
  for (const other in entries) copy[other] = entries[other] as V;
  copy[key] = value;
  return copy;
}

/** A copy of a map without one entry. */
export function withoutEntry<V>(entries: Readonly<Record<string, V>>, key: string): Record<string, V> {
  const copy: Record<string, V> = {};
  for (const other in entries) {
    if (other !== key) copy[other] = entries[other] as V;
  }
  return copy;
}
