import { platformConfigSchema, type PlatformConfig } from '@moon/domain';
import type { AnyEvent } from '@moon/events';
import { createVenueEngine, paperSigner } from '@moon/backtesting';
import { Value } from '@sinclair/typebox/value';
import { VolatileLog } from '../log/log-writer';
import { VolatileEventStore } from '../memory/volatile-event-store';
import { VenueRefused, VenueTimeout, type VenueBooks, type VenuePort } from '../ports/venue';
import { T0 } from '../testing/venue-desk';
import { VenueLink } from '../venue-link/venue-link';
import { assemble, executionState } from './assemble';
import { notCompared, Reconciliation } from './reconcile';
import { accountSpecs, startEvents } from './start-events';

const HEADERS = { mode: 'live' } as const;

/** A platform with one portfolio, and its real venue engine, whose books a test can withhold or change. */
async function opened() {
  const platform = Value.Default(platformConfigSchema, {
    portfolios: [{ name: 'main', deposit: '1000', instruments: [{ instrument: 'BTC.HYPERLIQUID', leverage: 2 }] }],
  }) as PlatformConfig;
  const books = createVenueEngine({ priceSources: {}, fundingSources: {} });
  const faults = { isSilent: false, isLost: false, cash: null as string | null, asked: 0 };
  const fatal: string[] = [];
  const venue = {
    name: 'paper',
    books: (portfolio: string): VenueBooks => {
      faults.asked += 1;
      if (faults.isSilent) throw new VenueTimeout('No answer within 1,000 ms.');
      if (faults.isLost) throw new VenueRefused('unknown_account', 'No such account.');
      const own = books.books(portfolio);
      return faults.cash === null ? own : { ...own, cash: faults.cash };
    },
    reportsSince: (portfolio: string, seq: number) => books.reportsSince(portfolio, seq),
  } as unknown as VenuePort;
  for (const spec of accountSpecs(platform, T0, paperSigner)) books.openAccount(spec);
  const link = new VenueLink(venue, HEADERS, false);
  const events: AnyEvent[] = [];
  const engine = assemble({
    ...{ config: platform, log: new VolatileLog(), link, headers: HEADERS, sign: () => '', nextNonce: () => 1 },
    ...{ modelLatency: { minMs: 0, maxMs: 0 }, orderTimeToLiveMs: 1_000, venueRetryMs: 0 },
    onEvent: (event) => void events.push(event),
    onRequest: () => undefined,
  });
  const take = (inputs: readonly AnyEvent[]): void => {
    for (const event of inputs) engine.input(event);
    engine.drain();
  };
  const about = { runId: 'r', codeVersion: 'c', platform, at: T0, feedInstruments: [], headers: HEADERS };
  take(await startEvents(about, new VolatileEventStore()));
  const problems: string[] = [];
  let now = T0;
  const reconciliation = new Reconciliation({
    ...{ engine, link, headers: HEADERS, retryMs: 100, longestRetryMs: 400 },
    now: () => (now += 1),
    submit: (event) => take([event]),
    onProblem: (message, context) => problems.push(`${message} ${JSON.stringify(context)}`),
    onFatal: ({ message }) => fatal.push(message),
  });
  const portfolio = () => executionState(engine, 'main')?.portfolio;
  const state = () => ({
    isReconciled: portfolio()?.reconciledAt !== null,
    halts: portfolio()?.halts.map(({ source, reason }) => `${source} ${reason}`),
  });
  const found = () =>
    events.flatMap((event) => (event.type === 'portfolio.reconciled' ? [event.data.differences] : []));
  return { engine, reconciliation, faults, take, state, found, problems, events, fatal };
}

describe('Reconciliation', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('a restart is an input of its own, also when the clock has gone back and nothing has happened since the last', async () => {
    const { engine, reconciliation, take, state } = await opened();
    await reconciliation.start(['main']);
    const ids = [1, 2].map(() => {
      const inputs = notCompared(engine, ['main'], engine.now, HEADERS);
      take(inputs);
      return inputs[0]?.id;
    });
    expect(new Set(ids).size).toBe(2);
    expect(state().isReconciled).toBe(false);
  });

  it('[EXE-5] books that agree make the portfolio reconciled, and it is not asked again', async () => {
    const { reconciliation, faults, state, found } = await opened();
    expect(state()).toEqual({ isReconciled: false, halts: [] });
    await reconciliation.start(['main']);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(state()).toEqual({ isReconciled: true, halts: [] });
    expect(found()).toEqual([[]]);
    expect(faults.asked).toBe(1);
  });

  it('[EXE-5] a silent venue is asked again with growing pauses; until it answers nothing opens, and that is said once', async () => {
    const { reconciliation, faults, state, found, problems } = await opened();
    faults.isSilent = true;
    await reconciliation.start(['main']);
    expect(state()).toEqual({ isReconciled: false, halts: ['reconciliation not_compared_yet'] });
    await jest.advanceTimersByTimeAsync(1_100);
    // After 100, 300, 700 and 1,100 ms: the pause stops growing at 400 ms.
    expect(faults.asked).toBe(5);
    expect(problems).toHaveLength(1);
    faults.isSilent = false;
    await jest.advanceTimersByTimeAsync(400);
    expect(state()).toEqual({ isReconciled: true, halts: [] });
    expect(found()).toEqual([['The venue did not give its books: No answer within 1,000 ms.'], []]);
    reconciliation.stop();
  });

  it('[EXE-5] a difference is named and keeps the portfolio not reconciled until books agree; nothing is booked for it', async () => {
    const { reconciliation, faults, state, found, problems, events } = await opened();
    faults.cash = '900';
    await reconciliation.start(['main']);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(state()).toEqual({ isReconciled: false, halts: ['reconciliation books_differ'] });
    expect(found()).toEqual([['cash: 1000 here, 900 at the venue (-100 more there).']]);
    expect(problems[0]).toContain('cash: 1000 here');
    faults.cash = null;
    await jest.advanceTimersByTimeAsync(400);
    expect(state()).toEqual({ isReconciled: true, halts: [] });
    expect(events.some(({ type }) => type === 'portfolio.fill_booked')).toBe(false);
  });

  it('a restart takes an earlier comparison back until there is a new one', async () => {
    const { engine, reconciliation, take, state } = await opened();
    expect(notCompared(engine, ['main'], T0, HEADERS)).toEqual([]);
    await reconciliation.start(['main']);
    take(notCompared(engine, ['main'], T0 + 5, HEADERS));
    expect(state()).toEqual({ isReconciled: false, halts: ['reconciliation not_compared_yet'] });
  });

  it('once it is stopped nobody is asked any more', async () => {
    const { reconciliation, faults } = await opened();
    faults.isSilent = true;
    await reconciliation.start(['main']);
    reconciliation.stop();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(faults.asked).toBe(1);
  });

  it('[EXE-5] a repeated comparison that the venue refuses is told of, unless it was stopped meanwhile', async () => {
    for (const isStopped of [false, true]) {
      const { reconciliation, faults, fatal } = await opened();
      faults.isSilent = true;
      await reconciliation.start(['main']);
      Object.assign(faults, { isSilent: false, isLost: true });
      jest.advanceTimersByTime(100);
      if (isStopped) reconciliation.stop();
      await jest.advanceTimersByTimeAsync(1);
      expect(fatal).toEqual(isStopped ? [] : ['No such account.']);
    }
  });
});
