import { Standstill } from './standstill';

describe('a standstill', () => {
  it('is the longest time for which a partition had messages and delivered none', () => {
    const still = new Standstill();
    const [moves, stands, idle] = [
      { lag: 5, delivered: 10 },
      { lag: 5, delivered: 10 },
      { lag: 0, delivered: 10 },
    ];
    expect(still.look([moves, stands, idle], 1_000)).toBe(0);
    moves.delivered = 12;
    expect(still.look([moves, stands, idle], 6_000)).toBe(5_000);
    stands.delivered = 11;
    expect(still.look([moves, stands, idle], 11_000)).toBe(5_000);
  });

  it('begins when messages come, however long it was idle before', () => {
    const still = new Standstill();
    const lane = { lag: 0, delivered: 10 };
    still.look([lane], 0);
    expect(still.look([lane], 3_600_000)).toBe(0);
    lane.lag = 1;
    expect(still.look([lane], 3_602_000)).toBe(2_000);
  });
});
