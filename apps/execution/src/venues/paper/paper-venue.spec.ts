import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signPaperOrder, type PartialVenueConfig } from '@moon/backtesting';
import { VenueTimeout, type AccountSpec } from '@moon/kernel';
import { describeVenue } from '../../../../../libs/kernel/src/contracts/venue.contract';
import { SPOT, type VenueNeeds } from '../../../../../libs/kernel/src/testing/venue-bed';
import { orderDesk, T0, tick, type OrderDesk } from '../../../../../libs/kernel/src/testing/venue-desk';
import { PaperVenue } from './paper-venue';

const KEY = 'key-of-the-tests';
const sign = (payload: string) => signPaperOrder(payload, KEY);

/** What a test of the contract needs, as configuration of the engine. */
const configOf = (needs: VenueNeeds): PartialVenueConfig => ({
  liquidity: { participation: needs.participation ?? null },
  latency: { order: { minMs: needs.orderLatencyMs ?? 0 }, ack: { minMs: needs.ackLatencyMs ?? 0 } },
});

describeVenue({
  name: 'paper venue in this process, books in memory',
  isDurable: false,
  create: async (needs) => {
    const venue = new PaperVenue({ config: configOf(needs) });
    return { venue, sign, signingKey: KEY, close: async () => venue.close() };
  },
});

describeVenue({
  name: 'paper venue in this process, durable books',
  isDurable: true,
  create: async (needs) => {
    const directory = mkdtempSync(join(tmpdir(), 'moon-venue-'));
    // A snapshot every third input, so that the short histories of the contract cross several of them.
    const open = () => new PaperVenue({ config: configOf(needs), directory, snapshotEvery: 3 });
    let venue = open();
    return {
      venue,
      sign,
      signingKey: KEY,
      restart: async () => {
        venue.abandon();
        venue = open();
        return venue;
      },
      close: async () => {
        venue.close();
        rmSync(directory, { recursive: true });
      },
    };
  },
});

describe('the paper venue on request', () => {
  const account: AccountSpec = {
    portfolio: 'main',
    accountModel: 'cash',
    settlementAsset: 'USDT',
    deposit: '100000',
    leverage: { [SPOT]: 1 },
    signingKey: KEY,
    openedAt: T0,
  };
  const announced: string[] = [];
  let venue: PaperVenue;
  let desk: OrderDesk;

  beforeEach(() => {
    announced.length = 0;
    venue = new PaperVenue({ announce: (clientOrderId) => announced.push(clientOrderId) });
    desk = orderDesk(sign);
    venue.openAccount(account);
    venue.market(tick(SPOT, 0, 40_000));
  });

  it('accepts an order and gives no answer', async () => {
    venue.setFaults({ timeoutNext: 1, announceAccepted: true });
    const order = desk.order(SPOT, 'buy', '0.5');
    await expect(async () => venue.submit(order)).rejects.toBeInstanceOf(VenueTimeout);
    expect(announced).toEqual([order.clientOrderId]);
    expect(venue.query('main', order.clientOrderId)).toMatchObject({ known: true, status: 'filled' });
    expect(await venue.submit(desk.order(SPOT, 'buy', '0.5'))).toHaveLength(2);
  });

  it('turns the next orders down with a code, and neither announces nor withholds that', async () => {
    venue.setFaults({ rejectNext: 1, rejectCode: 'closed_today', timeoutNext: 1, announceAccepted: true });
    expect(await venue.submit(desk.order(SPOT, 'buy', '0.5'))).toMatchObject([
      { kind: 'rejected', code: 'closed_today' },
    ]);
    expect(announced).toEqual([]);
  });

  it('is slow to answer, though the order is handled at once', async () => {
    venue.setFaults({ slowMs: 20 });
    const order = desk.order(SPOT, 'buy', '0.5');
    const answer = venue.submit(order);
    expect(answer).toBeInstanceOf(Promise);
    expect(venue.books('main').lastVenueSeq).toBe(2);
    expect(await answer).toHaveLength(2);
  });

  it('knows only the faults there are', () => {
    expect(() => venue.setFaults({ slowMs: -1 })).toThrow(RangeError);
    expect(() => venue.setFaults({ sloMs: 1 } as object)).toThrow(/no fault "sloMs"/);
  });

  it('shows the state hash its books, and the market nothing that is no market event', () => {
    expect(venue.hashView()).toMatchObject({ main: { cash: '100000' } });
    const warmUp = { ...tick(SPOT, 1, 50_000), headers: { warmup: true as const } };
    expect(venue.market(warmUp)).toEqual([]);
    expect(venue.books('main').venueTime).toBe(T0);
  });

  it('names with the next market event what another call handed to its caller alone: whoever shares the venue hears of it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'moon-venue-'));
    const open = () => new PaperVenue({ config: { latency: { ack: { minMs: 50 } } }, directory });
    let shared = open();
    try {
      for (const portfolio of ['main', 'second']) shared.openAccount({ ...account, portfolio });
      shared.market(tick(SPOT, 0, 40_000));
      await shared.submit(desk.order(SPOT, 'buy', '0.5'));
      expect(shared.advanceTo(T0 + 60)).toHaveLength(2);
      // After a kill, too: it follows from the inputs.
      shared.abandon();
      shared = open();
      const [first, next] = [tick(SPOT, 100, 40_000), tick(SPOT, 200, 40_000)];
      expect(shared.market(first)).toMatchObject([{ portfolio: 'main', venueSeq: 2 }]);
      expect(shared.market(next)).toEqual([]);
      shared.close();
      shared = open();
      expect(shared.market(first)).toMatchObject([{ portfolio: 'main', venueSeq: 2 }]);
      // It was not the event that caused it.
      expect(shared.marketCauses('main', 0)).toEqual({});
      // What the order of another one set free; its own it is answered.
      await shared.submit(desk.order(SPOT, 'buy', '0.5', { sentAt: 200 }));
      expect(await shared.submit(desk.order(SPOT, 'buy', '0.5', { portfolio: 'second', sentAt: 260 }))).toHaveLength(2);
      shared.close();
      shared = open();
      expect(shared.market(tick(SPOT, 270, 40_000))).toMatchObject([{ portfolio: 'main', venueSeq: 4 }]);
    } finally {
      shared.close();
      rmSync(directory, { recursive: true });
    }
  });
});
