import { Presence } from './presence';

describe('whether a member is in its group', () => {
  let presence: Presence;

  beforeEach(() => {
    jest.useFakeTimers();
    presence = new Presence();
  });
  afterEach(() => jest.useRealTimers());

  it('[SYS-1] it is missing until it has joined, whatever its client says', () => {
    expect(presence.missing()).toEqual({ why: null });
    presence.left('refused');
    expect(presence.missing()).toEqual({ why: 'refused' });
    presence.joined();
    expect(presence.missing()).toBeNull();
  });

  it('[SYS-1] [SYS-7] is not missing for the seconds in which it comes back, and is when it stays away', () => {
    presence.joined();
    presence.left();
    presence.left('no coordinator');
    jest.advanceTimersByTime(9_000);
    expect(presence.missing()).toBeNull();
    jest.advanceTimersByTime(1_001);
    presence.left();
    expect(presence.missing()).toEqual({ why: 'no coordinator' });
    presence.joined();
    presence.left();
    jest.advanceTimersByTime(10_001);
    expect(presence.missing()).toEqual({ why: null });
  });
});
