/** A member of a plain record by a name from outside: `constructor` and the like are no members. */
export function own<V>(record: Record<string, V>, name: string): V | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
