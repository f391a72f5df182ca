import { Type } from '@sinclair/typebox';
import { completeConfig } from './config';
import { openingSchema } from './opening';

const schema = Type.Object(
  { agent: Type.String({ default: 'x', minLength: 1 }), opening: openingSchema },
  { additionalProperties: false },
);

describe('an agent’s configuration', () => {
  it('is filled up with the defaults at every depth', () => {
    const config = completeConfig('test agent', schema, { opening: { minScore: 80 } });
    expect(config).toMatchObject({ agent: 'x', opening: { minScore: 80, minConfidence: 0.6 } });
  });

  it('given a value outside its range, then the error names agent, key, value and rule', () => {
    expect(() => completeConfig('test agent', schema, { opening: { minScore: 101 } })).toThrow(
      /test agent: \/opening\/minScore is 101; Expected number to be less or equal to 100/,
    );
  });

  it('given an unknown key, then it is refused', () => {
    expect(() => completeConfig('test agent', schema, { opening: { minScor: 80 } } as never)).toThrow(
      /\/opening\/minScor/,
    );
  });

  it('does not change what it was given', () => {
    const given = { opening: {} };
    completeConfig('test agent', schema, given);
    expect(given).toEqual({ opening: {} });
  });
});
