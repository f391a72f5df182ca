import { VenueLink, VenueTimeout, type VenuePort, type VenueReport } from '@moon/kernel';
import { LiveBed } from '../../libs/kernel/src/testing/live-bed';
import { T0, tick } from '../../libs/kernel/src/testing/venue-desk';

const report = (venueSeq: number, kind: 'accepted' | 'cancelled'): VenueReport =>
  ({
    ...{ portfolio: 'main', reportId: `r${venueSeq}`, venueSeq, kind, venueOrderId: 'v1', timestamp: T0 },
    order_id: '00000000-0000-5000-8000-000000000001',
  }) as VenueReport;

/** Its answer to an order, with report 1, was lost or is late; report 2 comes with the next market event. */
function venueWithALostAnswer(): VenuePort {
  const nothing = (): never[] => [];
  const all = [report(1, 'accepted'), report(2, 'cancelled')];
  return {
    name: 'test',
    openAccount: () => undefined,
    market: () => all.slice(1),
    advanceTo: nothing,
    nextDueAt: () => null,
    submit: nothing,
    cancel: nothing,
    query: () => ({ known: false, venueTime: 0 }),
    reportsSince: (_portfolio, venueSeq) => all.filter((one) => one.venueSeq > venueSeq),
    marketCauses: () => ({}),
    books: () => {
      throw new Error('no books');
    },
  };
}

describe('a live run whose venue did not answer an order in time', () => {
  it('fetches the reports that it missed when a later one comes first, and goes on', async () => {
    const bed = new LiveBed({ handlers: [], venue: new VenueLink(venueWithALostAnswer(), { mode: 'live' }, false) });
    bed.start();
    bed.submit(tick('BTC.HYPERLIQUID', 0, 100));
    const reports = (await bed.rows()).flatMap(({ event }) =>
      event.type === 'venue.report' ? [event.data.venueSeq] : [],
    );
    expect(bed.failures.map(({ message }) => message)).toEqual([]);
    expect(reports).toEqual([1, 2]);
  });

  it('outlives a venue that is silent for a market event, and hears of it with the next one', async () => {
    const venue = venueWithALostAnswer();
    let calls = 0;
    const silentOnce = {
      ...venue,
      market: () =>
        (calls += 1) === 1 ? Promise.reject(new VenueTimeout('no answer')) : Promise.resolve([report(2, 'cancelled')]),
    };
    const bed = new LiveBed({ handlers: [], venue: new VenueLink(silentOnce, { mode: 'live' }, true) });
    bed.start();
    bed.submit(tick('BTC.HYPERLIQUID', 0, 100));
    await new Promise((resolve) => setImmediate(resolve));
    bed.submit(tick('BTC.HYPERLIQUID', 1, 101));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(bed.failures).toEqual([]);
    const reports = (await bed.rows()).flatMap(({ event }) =>
      event.type === 'venue.report' ? [event.data.venueSeq] : [],
    );
    expect(reports).toEqual([1, 2]);
  });
});
