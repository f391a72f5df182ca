import { RecentDurations } from './recent-durations';

describe('recent durations', () => {
  it('say nothing before the first', () => {
    expect(new RecentDurations().summary()).toBeNull();
  });

  it('are summed up by rank', () => {
    const durations = new RecentDurations();
    for (let ms = 100; ms >= 1; ms -= 1) durations.note(ms);
    expect(durations.summary()).toEqual({ count: 100, p50: 51, p99: 100, max: 100 });
  });

  it('forget what is long ago, and go on counting', () => {
    const durations = new RecentDurations();
    durations.note(9_999);
    for (let index = 0; index < 1_024; index += 1) durations.note(1.26);
    expect(durations.summary()).toEqual({ count: 1_025, p50: 1.3, p99: 1.3, max: 1.3 });
  });
});
