import { RestingAgents } from './resting-agents';

describe('RestingAgents', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  /** How long an agent rests, ms, each time that it offends again at once. */
  function rests(agents: RestingAgents, agent: string, times: number): number[] {
    return Array.from({ length: times }, () => {
      let isAwake = false;
      agents.rest(agent, () => (isAwake = true));
      const from = Date.now();
      while (!isAwake) jest.advanceTimersByTime(50);
      return Date.now() - from;
    });
  }

  it('doubles the rest with every offence, up to half a minute, for that agent alone', () => {
    const agents = new RestingAgents(250, Date.now);
    expect(rests(agents, 'agent/bad', 9)).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(rests(agents, 'agent/other', 1)).toEqual([250]);
  });

  it('forgets offences after five minutes', () => {
    const agents = new RestingAgents(250, Date.now);
    rests(agents, 'agent/bad', 5);
    jest.advanceTimersByTime(300_000);
    expect(rests(agents, 'agent/bad', 1)).toEqual([250]);
  });

  it('tells who rests, and wakes nobody once it is stopped', () => {
    const agents = new RestingAgents(250, Date.now);
    const wake = jest.fn();
    agents.rest('agent/bad', wake);
    expect(agents.list).toMatchObject([{ agent: 'agent/bad', since: Date.now() }]);
    agents.stop();
    jest.advanceTimersByTime(60_000);
    expect(wake).not.toHaveBeenCalled();
    expect(agents.list).toEqual([]);
  });
});
