import type { EmitData, EventData, EventType } from './envelope';

type Fields = Record<string, unknown>;

/** A maker of objects with these fields in this order. */
interface Maker {
  readonly names: readonly string[];
  make(type: string, data: Fields): Fields;
}

/** Of each type as many as its optional fields give rise to; what comes beyond is copied field by field. */
const MOST_MAKERS = 16;
const makers = new Map<string, Maker[]>();

/**
 * The data of an event, `event_type` first: `{ event_type: type, ...data }`. A spread behind another field copies one field
 * after the other through hidden classes; the fields of a type are nearly always the same ones in the same order, so an object
 * literal is compiled for them, as the validators are.
 */
export function withEventType<T extends EventType>(type: T, data: EmitData<T>): EventData<T> {
  let known = makers.get(type);
  if (known === undefined) makers.set(type, (known = []));
  for (let index = 0; index < known.length; index += 1) {
    const maker = known[index] as Maker;
    if (hasJust(data, maker.names)) return maker.make(type, data) as EventData<T>;
  }
  const names = Object.keys(data);
  if (known.length < MOST_MAKERS && isOrdinary(data, names)) known.push({ names, make: compiled(names) });
  return { event_type: type, ...data } as unknown as EventData<T>;
}

/** Whether these are the object's own fields, in this order. */
function hasJust(data: object, names: readonly string[]): boolean {
  let count = 0;
  for (const name in data) {
    if (name !== names[count]) return false;
    count += 1;
  }
  return count === names.length;
}

/** An object without a prototype's fields, and without names that mean something else in a literal. */
function isOrdinary(data: object, names: readonly string[]): boolean {
  return (
    hasJust(data, names) &&
    Object.getOwnPropertySymbols(data).length === 0 &&
    !RESERVED.some((name) => names.includes(name))
  );
}

const RESERVED = ['__proto__', 'event_type'];

function compiled(names: readonly string[]): Maker['make'] {
  const fields = names.map((name) => `${JSON.stringify(name)}: data[${JSON.stringify(name)}]`);
  return new Function('type', 'data', `return { event_type: type, ${fields.join(', ')} };`) as Maker['make'];
}
