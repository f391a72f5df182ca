import { Attempts } from './attempts';

describe('attempts to open a shard again', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const pausesOf = (attempts: Attempts, count: number, wasOpened: boolean): number[] =>
    Array.from({ length: count }, () => attempts.afterBreak(0, new Error('x'), 1_000, wasOpened) / 1_000);

  it('double their pauses up to a minute, or half an hour for a shard that holds up the others each time', () => {
    const attempts = new Attempts(() => undefined);
    expect(pausesOf(attempts, 8, false)).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(attempts.broken).toMatchObject([{ shard: 0, attempts: 8 }]);
    attempts.forget(0);
    expect(pausesOf(attempts, 12, true).slice(-3)).toEqual([512, 1_024, 1_800]);
  });

  it('begin anew after ten minutes live, and not after a short life', () => {
    const attempts = new Attempts(() => undefined);
    expect(pausesOf(attempts, 3, false)).toEqual([1, 2, 4]);
    attempts.noteLive(0);
    jest.advanceTimersByTime(599_000);
    expect(pausesOf(attempts, 1, false)).toEqual([8]);
    attempts.noteLive(0);
    jest.advanceTimersByTime(601_000);
    expect(pausesOf(attempts, 1, false)).toEqual([1]);
  });

  it('are one at a time for each shard, and none for a shard that is another member’s now', () => {
    const opened: number[] = [];
    const attempts = new Attempts((shard) => opened.push(shard));
    attempts.later(1, 50);
    attempts.afterBreak(1, new Error('x'), 1_000, false);
    attempts.afterBreak(2, new Error('x'), 1_000, false);
    attempts.forget(2);
    jest.advanceTimersByTime(120_000);
    expect(opened).toEqual([1]);
    attempts.later(1, 50);
    attempts.stop();
    jest.advanceTimersByTime(120_000);
    expect(opened).toEqual([1]);
  });
});
