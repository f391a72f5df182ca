import { seldom } from './seldom';

describe('what is said seldom', () => {
  it('says the first at once, and how many there were with the next one after a while', () => {
    let now = 5;
    const said: [string, number][] = [];
    const hear = seldom<string>((one, { since }) => said.push([one, since]), { everyMs: 30_000, now: () => now });
    hear('first');
    for (let at = 0; at < 1_000; at += 1) hear(`again ${at}`);
    expect(said).toEqual([['first', 1]]);
    now += 30_000;
    hear('later');
    hear('at once');
    expect(said).toEqual([
      ['first', 1],
      ['later', 1_001],
    ]);
  });
});
