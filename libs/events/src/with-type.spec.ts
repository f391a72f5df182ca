import fc from 'fast-check';
import { withEventType } from '.';

describe('data with their type in front', () => {
  const names = fc.constantFrom(
    'token',
    'price',
    'a b',
    'quote"d',
    '0',
    '1',
    'constructor',
    'toString',
    '__proto__x',
    'ünïcode',
  );
  const data = fc.dictionary(names, fc.jsonValue());

  it('are what a spread makes of them, in the same order, whatever the fields and however often', () => {
    fc.assert(
      fc.property(fc.array(data, { minLength: 1, maxLength: 40 }), (all) => {
        for (const given of [...all, ...all]) {
          const made = withEventType('price.tick', given as never);
          const expected = { event_type: 'price.tick', ...given };
          expect(made).toStrictEqual(expected);
          expect(JSON.stringify(made)).toBe(JSON.stringify(expected));
          expect(made).not.toBe(given);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('have what stands in the data itself, and nothing of its prototype', () => {
    const given = Object.assign(Object.create({ inherited: 1 }) as object, { own: 2 });
    for (let turn = 0; turn < 3; turn += 1)
      expect(withEventType('price.tick', given as never)).toStrictEqual({ event_type: 'price.tick', own: 2 });
    const ownProto = JSON.parse('{"__proto__":{"token":"BTC"}}') as never;
    for (let turn = 0; turn < 3; turn += 1)
      expect(Object.keys(withEventType('price.tick', ownProto))).toEqual(['event_type', '__proto__']);
  });
});
