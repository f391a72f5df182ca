import type { VenuePort, VenueReport } from '../ports/venue';
import { T0, marketEvent, tick } from '../testing/venue-desk';
import { VenueLink } from './venue-link';

const BTC = 'BTC.HYPERLIQUID';

const reported = (portfolio: string, venueSeq: number): VenueReport => ({
  ...{ venue: 'test', venueSeq, reportId: `${portfolio}-${venueSeq}`, portfolio, kind: 'margin_call' },
  ...{ amount: '1', timestamp: T0 + venueSeq },
});

/** A venue of two portfolios; what it answers to the next market event, and what it has reported, is a test's to say. */
function shared() {
  const known = [reported('mine', 1), reported('mine', 2), reported('other', 1), reported('other', 2)];
  const asked: string[] = [];
  const fed: string[] = [];
  const answers = { market: [] as VenueReport[], time: [] as VenueReport[], isSilent: false };
  const venue = {
    name: 'test',
    market: (event: { id: string }) => (fed.push(event.id), answers.market),
    advanceTo: () => Promise.resolve(answers.time),
    marketCauses: () => ({}),
    reportsSince: (portfolio: string, seq: number) => {
      asked.push(`${portfolio} ${seq}`);
      if (answers.isSilent) return Promise.reject(new Error('silent'));
      return Promise.resolve(known.filter((one) => one.portfolio === portfolio && one.venueSeq > seq));
    },
  } as unknown as VenuePort;
  const link = new VenueLink(venue, {}, true, (portfolio) => portfolio === 'mine');
  return { link, venue, known, asked, fed, answers };
}

const numbers = (events: readonly { data: object }[]): string[] =>
  events.map(({ data }) => `${(data as VenueReport).portfolio} ${(data as VenueReport).venueSeq}`);

describe('VenueLink', () => {
  it('[EXE-4] takes in the reports of its own portfolios, and asks for nothing of others where several share the venue', async () => {
    const { link, answers, asked } = shared();
    answers.market = [reported('other', 2), reported('mine', 1), reported('other', 3)];
    expect(numbers(await link.market(tick(BTC, 0, 100)))).toEqual(['mine 1']);
    answers.market = [reported('other', 4)];
    expect(await link.market(tick(BTC, 1, 100))).toEqual([]);
    expect(asked).toEqual([]);
    expect(link.snapshot().lastSeq).toEqual({ mine: 0 });
  });

  it('[EXE-4] all portfolios are its own where it has the venue for itself', async () => {
    const { venue, answers } = shared();
    answers.market = [reported('other', 1), reported('mine', 1)];
    expect(numbers(await new VenueLink(venue, {}, true).market(tick(BTC, 0, 100)))).toEqual(['other 1', 'mine 1']);
  });

  it('[EXE-4] hears of its own reports when venue time moves, whoever moved it', async () => {
    const { link, answers, known } = shared();
    const late = known.splice(1, 1);
    expect(numbers(await link.resume(['mine'], false))).toEqual(['mine 1']);
    known.push(...late);
    // Another link was answered report 2; to this one it is only that nothing more was due.
    answers.time = [reported('other', 2)];
    expect(numbers(await link.advanceTo(T0 + 10))).toEqual(['mine 2']);
    expect(await link.advanceTo(T0 + 11)).toEqual([]);
  });

  it('[EXE-4] reports of venue time that could not be asked for are asked for again', async () => {
    const { link, answers } = shared();
    answers.time = [reported('mine', 1), reported('mine', 2)];
    answers.isSilent = true;
    await expect(link.advanceTo(T0 + 10)).rejects.toThrow('silent');
    answers.isSilent = false;
    expect(numbers(await link.advanceTo(T0 + 11))).toEqual(['mine 1', 'mine 2']);
  });

  it('[EXE-4] tells its venue nothing of what runs begin with', async () => {
    const { link, fed } = shared();
    const [price, listing] = [
      tick(BTC, 0, 100),
      { ...marketEvent('instrument.listed', T0, {} as never), source: 'bootstrap' },
    ];
    await link.market(listing);
    await link.market(price);
    expect(fed).toEqual([price.id]);
  });
});
