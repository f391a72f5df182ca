import fc from 'fast-check';
import { canonicalJson } from './canonical-json';

describe('canonical JSON', () => {
  it('is the JSON of the value with its members sorted, whatever the texts', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string());
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        text,
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
        tie('list'),
        tie('map'),
      ),
      list: fc.array(tie('any'), { maxLength: 4 }),
      map: fc.dictionary(text, tie('any'), { maxKeys: 4 }),
    })).any;
    fc.assert(
      fc.property(value, (given) => {
        const written = canonicalJson(given);
        expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(given)));
        if (typeof given !== 'object' || given === null) expect(written).toBe(JSON.stringify(given));
      }),
      { numRuns: 500 },
    );
    expect(canonicalJson({ b: 'a"b', a: [-0, 1e21], '\u0007': '\\' })).toBe(
      '{"\\u0007":"\\\\","a":[0,1e+21],"b":"a\\"b"}',
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1])('refuses what JSON cannot hold: %p', (given) => {
    expect(() => canonicalJson({ given })).toThrow(TypeError);
  });
});
