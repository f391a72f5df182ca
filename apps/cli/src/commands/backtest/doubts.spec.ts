import { doubtsOf } from './backtest.command';

const sound = { balanced: true, venueDifferences: [], failures: {} };

describe('a run whose figures are not to be relied on', () => {
  it('is silent about a sound one, and about strategies, which are told of by themselves', () => {
    expect(doubtsOf({ summary: sound, strategyFailures: [] })).toEqual([]);
    const first = { at: 0, message: 'boom', eventId: '', type: '' };
    const strategyFailures = [{ strategy: 'mine', handler: 'agent/mine', count: 2, first }] as never;
    expect(doubtsOf({ summary: { ...sound, failures: { 'agent/mine': 2 } }, strategyFailures })).toEqual([]);
  });

  it('names books that do not add up, a venue that has others, and handlers that failed', () => {
    const summary = {
      balanced: false,
      venueDifferences: ['cash: 1 here, 2 at the venue.'],
      failures: { 'agent/chart': 3 },
    };
    const doubts = doubtsOf({ summary, strategyFailures: [] });
    expect(doubts).toHaveLength(3);
    expect(doubts.join(' ')).toMatch(/do not balance.*cash: 1 here.*agent\/chart failed at 3/);
  });
});
