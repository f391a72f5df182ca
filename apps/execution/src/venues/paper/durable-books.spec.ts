import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { signPaperOrder, type PartialVenueConfig } from '@moon/backtesting';
import { VenueUnreachable, type AccountSpec, type VenueBooks } from '@moon/kernel';
import { SPOT } from '../../../../../libs/kernel/src/testing/venue-bed';
import { orderDesk, T0, tick } from '../../../../../libs/kernel/src/testing/venue-desk';
import { PaperVenue, type PaperVenueOptions } from './paper-venue';

const KEY = 'key-of-the-tests';
const ACCOUNT: AccountSpec = {
  portfolio: 'main',
  accountModel: 'cash-short-credit',
  settlementAsset: 'USDT',
  deposit: '100000',
  leverage: { [SPOT]: 1 },
  signingKey: KEY,
  openedAt: T0,
};

describe('durable books', () => {
  let directory: string;
  let notices: string[];
  let desk: ReturnType<typeof orderDesk>;

  const open = (options: Partial<PaperVenueOptions> = {}, at = directory) =>
    new PaperVenue({ directory: at, snapshotEvery: 1_000, notice: (text) => notices.push(text), ...options });

  /** A short history: prices and orders in turn. @returns the books after each input */
  function play(venue: PaperVenue, from = 1, to = 12): VenueBooks[] {
    const books: VenueBooks[] = [];
    for (let i = from; i <= to; i += 1) {
      if (i % 3 === 0)
        void venue.submit(desk.order(SPOT, i % 2 === 0 ? 'sell' : 'buy', '0.5', { nonce: i, sentAt: i }));
      else venue.market(tick(SPOT, i, 40_000 + i));
      books.push(venue.books('main'));
    }
    return books;
  }

  const file = (pattern: RegExp) =>
    join(
      directory,
      fs
        .readdirSync(directory)
        .sort()
        .filter((name) => pattern.test(name))
        .at(-1) ?? 'none',
    );

  beforeEach(() => {
    directory = fs.mkdtempSync(join(tmpdir(), 'moon-books-'));
    notices = [];
    desk = orderDesk((payload) => signPaperOrder(payload, KEY));
  });

  afterEach(() => {
    jest.restoreAllMocks();
    fs.rmSync(directory, { recursive: true });
  });

  it('are the same after a kill at every input, with snapshots in between or without', () => {
    for (const snapshotEvery of [1, 4, 1_000]) {
      const place = join(directory, String(snapshotEvery));
      let venue = open({ snapshotEvery }, place);
      venue.openAccount(ACCOUNT);
      const expected = play(new PaperVenueOf(ACCOUNT));
      desk = orderDesk((payload) => signPaperOrder(payload, KEY));
      for (let i = 1; i <= 12; i += 1) {
        const [books] = play(venue, i, i);
        expect(books).toEqual(expected[i - 1]);
        venue.abandon();
        venue = open({ snapshotEvery }, place);
        expect(venue.books('main')).toEqual(expected[i - 1]);
      }
      expect(venue.reportsSince('main', 0)).toHaveLength(8);
      venue.abandon();
    }
    expect(notices).toEqual([]);
  });

  it('cut off at any byte are those of the inputs that were written whole', () => {
    const venue = open();
    venue.openAccount(ACCOUNT);
    const states = [null, venue.books('main'), ...play(venue)];
    venue.abandon();
    const journal = fs.readFileSync(file(/^journal/));
    fc.assert(
      fc.property(fc.nat(journal.length), (length) => {
        const place = fs.mkdtempSync(join(directory, 'cut-'));
        fs.writeFileSync(join(place, 'journal-0.ndjson'), journal.subarray(0, length));
        // The first line is the configuration, the second the account.
        const whole = journal.subarray(0, length).toString().split('\n').length - 1;
        const restored = open({}, place);
        try {
          if (whole >= 2) expect(restored.books('main')).toEqual(states[whole - 1]);
          else expect(() => restored.books('main')).toThrow(/no account/);
        } finally {
          restored.abandon();
        }
      }),
      { numRuns: 60 },
    );
  });

  it('say what was mended, and go on behind it', () => {
    const venue = open();
    venue.openAccount(ACCOUNT);
    play(venue);
    const books = venue.books('main');
    venue.abandon();
    fs.appendFileSync(file(/^journal/), '{"k":"market","event":{"id":"hal');
    const mended = open();
    expect(notices).toEqual([expect.stringMatching(/ended in 32 bytes of an unfinished line/)]);
    expect(mended.books('main')).toEqual(books);
    play(mended, 13, 15);
    const later = mended.books('main');
    mended.abandon();
    const again = open();
    expect(again.books('main')).toEqual(later);
    again.abandon();
  });

  it('that are damaged before their end are refused with file and line', () => {
    const venue = open();
    venue.openAccount(ACCOUNT);
    play(venue);
    venue.abandon();
    const path = file(/^journal/);
    const lines = fs.readFileSync(path, 'utf8').split('\n');
    lines[4] = lines[4]?.slice(0, 20) ?? '';
    fs.writeFileSync(path, lines.join('\n'));
    expect(() => open()).toThrow(/journal-0\.ndjson is damaged in line 5/);
    // The failed attempt has let go of the folder.
    expect(() => open()).toThrow(/damaged/);
  });

  it('take a new configuration as an input: what was decided under the old one stays', () => {
    const dear: PartialVenueConfig = { fees: { takerBps: 10 } };
    const venue = open({ config: dear });
    venue.openAccount(ACCOUNT);
    play(venue, 1, 3);
    const { fees } = venue.books('main');
    venue.abandon();
    const cheaper = open({ config: { fees: { takerBps: 0 } } });
    expect(cheaper.books('main').fees).toBe(fees);
    play(cheaper, 4, 6);
    expect(cheaper.books('main').fees).toBe(fees);
    cheaper.abandon();
    const again = open({ config: { fees: { takerBps: 0 } } });
    expect(again.books('main').fees).toBe(fees);
    again.abandon();
  });

  it('keep all reports, also those that are no longer in memory', () => {
    const venue = open({ config: { keepReports: 2 }, snapshotEvery: 4 });
    venue.openAccount(ACCOUNT);
    play(venue, 1, 30);
    const numbers = (from: number) => venue.reportsSince('main', from).map((report) => report.venueSeq);
    expect(numbers(0)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(numbers(18)).toEqual([19, 20]);
    venue.abandon();
    const again = open({ config: { keepReports: 2 }, snapshotEvery: 4 });
    expect(again.reportsSince('main', 0)).toHaveLength(20);
    again.abandon();
  });

  it('keep the two newest snapshots with what follows them', () => {
    const venue = open({ snapshotEvery: 4 });
    venue.openAccount(ACCOUNT);
    play(venue, 1, 30);
    venue.close();
    const names = fs.readdirSync(directory).sort();
    expect(names.filter((name) => name.startsWith('snapshot'))).toHaveLength(2);
    expect(names.filter((name) => name.startsWith('journal')).length).toBeLessThanOrEqual(2);
    expect(names).not.toContain('venue.lock');
  });

  it('are untouched by an input that could not be journaled, and the caller is told that nothing happened', () => {
    const venue = open();
    venue.openAccount(ACCOUNT);
    play(venue);
    const before = venue.books('main');
    const half = jest.spyOn(fs, 'writeSync').mockImplementationOnce((descriptor: number, bytes: unknown) => {
      half.mockRestore();
      return fs.writeSync(descriptor, (bytes as Buffer).subarray(0, 10));
    });
    const order = desk.order(SPOT, 'buy', '1', { nonce: 99, sentAt: 20 });
    expect(() => venue.submit(order)).toThrow(VenueUnreachable);
    expect(venue.books('main')).toEqual(before);
    expect(venue.query('main', order.clientOrderId)).toMatchObject({ known: false });
    void venue.submit(order);
    const after = venue.books('main');
    expect(after.lastVenueSeq).toBe(before.lastVenueSeq + 2);
    venue.abandon();
    const again = open();
    expect(again.books('main')).toEqual(after);
    again.abandon();
  });

  it('go on with the old journal when no snapshot can be written', () => {
    const venue = open({ snapshotEvery: 5 });
    venue.openAccount(ACCOUNT);
    const full = jest.spyOn(fs, 'writeFileSync').mockImplementation(() => {
      throw new Error('no space left on device');
    });
    play(venue);
    full.mockRestore();
    expect(notices).toContainEqual('No snapshot could be written, the journal goes on: no space left on device');
    const books = venue.books('main');
    venue.abandon();
    const again = open();
    expect(again.books('main')).toEqual(books);
    expect(again.reportsSince('main', 0)).toHaveLength(8);
    again.abandon();
  });

  it('belong to one venue at a time; the lock of a process that is gone is taken over', () => {
    const venue = open();
    expect(() => open()).toThrow(/open in this process already/);
    venue.abandon();
    fs.writeFileSync(join(directory, 'venue.lock'), '999999999');
    open().abandon();
    fs.writeFileSync(join(directory, 'venue.lock'), '1');
    expect(() => open()).toThrow(/in use by process 1/);
  });
});

/** The same venue without books on disk: what the durable one is compared with. */
class PaperVenueOf extends PaperVenue {
  constructor(account: AccountSpec) {
    super();
    this.openAccount(account);
  }
}
