import fc from 'fast-check';
import { VenueRefused } from '@moon/kernel';
import { KEPT_NONCES, takeNonce } from './nonces';

describe('nonces', () => {
  it('may come out of order, each once', () => {
    const used: number[] = [];
    for (const nonce of [5, 3, 9, 4]) takeNonce(used, nonce);
    expect(used).toEqual([3, 4, 5, 9]);
    expect(() => takeNonce(used, 4)).toThrow(expect.objectContaining({ code: 'nonce_used' }) as Error);
    expect(used).toEqual([3, 4, 5, 9]);
  });

  it('below the 100 highest are refused, because nobody knows any more whether they were used', () => {
    const used: number[] = [];
    for (let nonce = 1; nonce <= KEPT_NONCES + 1; nonce += 1) takeNonce(used, nonce);
    expect(used).toHaveLength(KEPT_NONCES);
    expect(() => takeNonce(used, 1)).toThrow(expect.objectContaining({ code: 'nonce_too_low' }) as Error);
    expect(() => takeNonce(used, 2)).toThrow(expect.objectContaining({ code: 'nonce_used' }) as Error);
  });

  it('are never taken twice, in whatever order they come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 500 }), (nonces) => {
        const used: number[] = [];
        const taken: number[] = [];
        for (const nonce of nonces) {
          try {
            takeNonce(used, nonce);
            taken.push(nonce);
          } catch (error) {
            if (!(error instanceof VenueRefused)) throw error;
          }
        }
        expect(new Set(taken).size).toBe(taken.length);
        expect(used).toEqual([...taken].sort((a, b) => a - b).slice(-KEPT_NONCES));
      }),
    );
  });
});
