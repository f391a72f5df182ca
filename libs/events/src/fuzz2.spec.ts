import fc from 'fast-check';
import { CATALOG, EVENT_TYPES } from './catalog';
import type { EventType } from './envelope';
import { EventRefused } from './refused';
import { exampleEvent } from './testing/fixtures';
import { independentlyValid } from './testing/independent-check';
import { parseEvent, validateEvent } from './validation/validate';

type Path = readonly (string | number)[];
type Member = Record<string | number, unknown>;

/** Every place in the data of an event, nested ones included. */
function placesIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const place = [...path, Array.isArray(value) ? Number(name) : name];
    return [place, ...placesIn(member, place)];
  });
}

const ABSENT = Symbol('absent');

/** A copy in which the member at `path` is another one; ABSENT takes it away. Keys are set as own, `__proto__` too. */
function changed(root: unknown, path: Path, value: unknown): unknown {
  const copy = structuredClone(root);
  let parent = copy as Member;
  for (const step of path.slice(0, -1)) parent = parent[step] as Member;
  const last = path[path.length - 1]!;
  if (value === ABSENT) delete parent[last];
  else Object.defineProperty(parent, last, { value, enumerable: true, configurable: true, writable: true });
  return copy;
}

const hostile = fc.constantFrom<unknown>(
  ABSENT,
  undefined,
  null,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  Number.MAX_SAFE_INTEGER,
  -0,
  0,
  -1,
  0.1 + 0.2,
  1e15 + 0.3,
  1729950000,
  1729950000000,
  1729950000000000,
  '',
  ' ',
  '0',
  '-0',
  '-1',
  '1e5',
  '1.',
  `1${'0'.repeat(24)}`,
  `0.${'1'.repeat(19)}`,
  'BUY',
  'x'.repeat(201),
  'x'.repeat(20_001),
  'a\u0000b',
  '\ud83d',
  'ABCDEFAB-0000-5000-8000-000000000000',
  'abcdefab-0000-5000-8000-00000000000\n',
  true,
  false,
  [],
  [[]],
  {},
  { length: 1 },
  JSON.parse('{"__proto__":{"polluted":1}}'),
  { constructor: 1 },
  { a: { b: undefined } },
);

const anyValue = fc.oneof(
  { weight: 4, arbitrary: hostile },
  { weight: 1, arbitrary: fc.anything({ withNullPrototype: false, withBigInt: true, withDate: true, maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);

const anyKey = fc.constantFrom(
  '__proto__',
  'constructor',
  'prototype',
  'surprise',
  'toString',
  'hasOwnProperty',
  '',
  'Token',
);

type Verdict = 'accepted' | EventRefused;

function verdictOf(act: () => unknown): Verdict {
  try {
    act();
    return 'accepted';
  } catch (error) {
    if (error instanceof EventRefused) return error;
    throw error;
  }
}

function checkVerdict(type: EventType, data: unknown): void {
  const verdict = verdictOf(() => validateEvent({ ...exampleEvent(type), data }));
  const isValid = independentlyValid(type, CATALOG[type].schemaVersion, data);
  if ((verdict === 'accepted') !== isValid) {
    const opinion = verdict === 'accepted' ? 'accepted' : verdict.message;
    throw new Error(`${type}: ${opinion}, but the second opinion says ${isValid ? 'valid' : 'invalid'}.`);
  }
  if (verdict === 'accepted') return;
  expect(verdict.type).toBe(type);
  expect(verdict.field.startsWith('data')).toBe(true);
  expect(verdict.value.length).toBeLessThanOrEqual(80);
}

describe('every field of every event, fuzzed at the boundary', () => {
  it.each(EVENT_TYPES)('%s: each hostile value in each place is refused, or valid by a second opinion', (type) => {
    const { data } = exampleEvent(type);
    const optional = Object.keys(CATALOG[type].schema.properties).map((name) => [name]);
    const places = [...placesIn(data), ...optional];
    fc.assert(
      fc.property(fc.constantFrom(...places), anyValue, (place, value) => {
        checkVerdict(type, changed(data, place, value));
      }),
      { numRuns: 3000 },
    );
  });

  it.each(EVENT_TYPES)('%s: a foreign key in any object is refused, or a free-form map that may hold it', (type) => {
    const { data } = exampleEvent(type);
    const holders: Path[] = [[], ...placesIn(data).filter((place) => isObject(valueAt(data, place)))];
    fc.assert(
      fc.property(
        fc.constantFrom(...holders),
        anyKey,
        fc.constantFrom<unknown>(1, 'text', {}),
        (holder, key, value) => {
          checkVerdict(type, changed(data, [...holder, key], value));
        },
      ),
      { numRuns: 60 },
    );
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each(EVENT_TYPES)('%s: damaged JSON text never does more than be refused', (type) => {
    const text = JSON.stringify(exampleEvent(type));
    const damage = fc.record({
      at: fc.nat(text.length),
      drop: fc.nat(5),
      add: fc.constantFrom('', '9', '"', '}', '{', '\u0000', 'e9', '-', ',', '[[[['),
    });
    fc.assert(
      fc.property(damage, ({ at, drop, add }) => {
        const damaged = text.slice(0, at) + add + text.slice(at + drop);
        const verdict = verdictOf(() => parseEvent(damaged));
        if (verdict !== 'accepted') return;
        const event = JSON.parse(damaged) as { type: string; schemaVersion: number; data: unknown };
        expect(independentlyValid(event.type, event.schemaVersion, event.data)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    'id',
    'type',
    'schemaVersion',
    'source',
    'key',
    'occurredAt',
    'correlationId',
    'causationId',
    'data',
    'headers',
  ])('the envelope field %s takes any value without a crash', (field) => {
    fc.assert(
      fc.property(anyValue, (value) => {
        verdictOf(() => validateEvent(changed(exampleEvent('price.tick'), [field], value)));
      }),
      { numRuns: 200 },
    );
  });

  it('takes anything at all as an envelope or a text without a crash', () => {
    fc.assert(
      fc.property(
        fc.anything({ withNullPrototype: true, withBigInt: true, withMap: true, withTypedArray: true }),
        (value) => {
          expect(verdictOf(() => validateEvent(value))).not.toBe('accepted');
        },
      ),
    );
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) =>
        expect(verdictOf(() => parseEvent(text))).not.toBe('accepted'),
      ),
    );
  });
});

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, step) => (value as Member)[step], root);
}
