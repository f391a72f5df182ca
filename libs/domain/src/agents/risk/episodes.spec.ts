import { above, percentAbove } from './episodes';

describe('figures above their bounds as text', () => {
  it('[RSK-2] have two decimals where these tell them apart, and as many as it takes where they do not', () => {
    expect(percentAbove(0.1234567, 0.1)).toBe('12.35 %');
    expect(percentAbove(0.1000004, 0.1)).toBe('10.00004 %');
    expect(above(3.0004, 3)).toBe('3.0004');
    expect(above(5, 3)).toBe('5');
  });
});
