import { kinds, marginAccount, PERP, SPOT, VenueBed, type VenueContract } from '../testing/venue-bed';
import { funding, T0, tick } from '../testing/venue-desk';

/** The part of the venue contract that is about accounts, time and restarts. */
export function describeVenueAccounts({ name, create, isDurable }: VenueContract): void {
  describe(`venue contract, accounts and time: ${name}`, () => {
    const bed = new VenueBed(create);

    afterEach(async () => bed.close());

    it('[INT-4] never lets a reduce-only order open or turn a position', async () => {
      await bed.open({}, marginAccount());
      await bed.venue.market(tick(PERP, 0, 40_000));
      await bed.venue.submit(bed.desk.order(PERP, 'buy', '1'));
      expect(kinds(await bed.venue.submit(bed.desk.order(PERP, 'buy', '1', { reduceOnly: true })))).toEqual([
        'rejected reduce_only',
      ]);
      const reports = await bed.venue.submit(bed.desk.order(PERP, 'sell', '3', { reduceOnly: true }));
      expect(kinds(reports)).toEqual(['accepted', 'filled', 'cancelled reduce_only']);
      expect(reports.map((report) => report.quantity)).toEqual(['3', '1', '2']);
      expect((await bed.venue.books('main')).positions).toEqual([]);
    });

    it('[INT-4] turns a stop into a market order when its price is reached', async () => {
      await bed.open({}, marginAccount());
      await bed.venue.market(tick(PERP, 0, 40_000));
      await bed.venue.submit(bed.desk.order(PERP, 'buy', '1'));
      const stop = bed.desk.order(PERP, 'sell', '1', { orderType: 'STOP', stopPrice: '39000', reduceOnly: true });
      expect(kinds(await bed.venue.submit(stop))).toEqual(['accepted']);
      expect(await bed.venue.market(tick(PERP, 1_000, 39_001))).toEqual([]);
      expect(await bed.venue.market(tick(PERP, 2_000, 38_950))).toMatchObject([
        { kind: 'filled', price: '38950', liquidity: 'taker' },
      ]);
    });

    it('[INT-4] pays funding once for a settlement, on the position of its instant', async () => {
      await bed.open({}, marginAccount());
      await bed.venue.market(tick(PERP, 0, 40_000));
      await bed.venue.submit(bed.desk.order(PERP, 'buy', '1'));
      const settled = funding(PERP, 3_600_000, 0.0001, 40_100);
      expect(await bed.venue.market(settled)).toMatchObject([
        {
          kind: 'funding',
          instrument: PERP,
          quantity: '1',
          side: 'buy',
          price: '40100',
          rate: 0.0001,
          amount: '-4.01',
          settlesAt: T0 + 3_600_000,
        },
      ]);
      const again = { ...settled, id: tick(PERP, 1, 1).id };
      expect(await bed.venue.market(again)).toEqual([]);
      expect((await bed.venue.books('main')).funding).toBe('-4.01');
    });

    it('[INT-4] calls for margin, then liquidates', async () => {
      await bed.open(
        {},
        marginAccount({ positions: [{ instrument: PERP, side: 'long', quantity: '1', price: '40000' }] }),
      );
      expect(await bed.venue.market(tick(PERP, 0, 40_000))).toEqual([]);
      expect(kinds(await bed.venue.market(tick(PERP, 1_000, 36_550)))).toEqual(['margin_call']);
      const reports = await bed.venue.market(tick(PERP, 2_000, 36_450));
      expect(reports).toMatchObject([
        { kind: 'liquidation', side: 'sell', quantity: '1', price: '36450', instrument: PERP },
      ]);
      const books = await bed.venue.books('main');
      expect(books.positions).toEqual([]);
      expect(books.realisedPnl).toBe('-3550');
    });

    it('[INT-4] lets an order take its time, there and back', async () => {
      await bed.open({ orderLatencyMs: 100, ackLatencyMs: 50 });
      await bed.venue.market(tick(SPOT, 0, 40_000));
      const order = bed.desk.order(SPOT, 'buy', '0.5');
      expect(await bed.venue.submit(order)).toEqual([]);
      expect(await bed.venue.query('main', order.clientOrderId)).toMatchObject({ known: true, status: 'pending' });
      expect(await bed.venue.nextDueAt()).toBe(T0 + 100);
      await bed.venue.market(tick(SPOT, 90, 41_000));
      expect(await bed.venue.advanceTo(T0 + 100)).toEqual([]);
      expect(await bed.venue.query('main', order.clientOrderId)).toMatchObject({
        status: 'filled',
        averagePrice: '41000',
      });
      expect(await bed.venue.reportsSince('main', 0)).toEqual([]);
      expect(await bed.venue.nextDueAt()).toBe(T0 + 150);
      const reports = await bed.venue.market(tick(SPOT, 500, 42_000));
      expect(reports).toMatchObject([
        { kind: 'accepted', timestamp: T0 + 150 },
        { kind: 'filled', timestamp: T0 + 150, price: '41000' },
      ]);
      expect(await bed.venue.nextDueAt()).toBeNull();
    });

    it('[INT-4] reports bytes that expired on their way as an expired order', async () => {
      await bed.open({ orderLatencyMs: 500 });
      await bed.venue.market(tick(SPOT, 0, 40_000));
      const late = bed.desk.order(SPOT, 'buy', '0.5', { expiresAt: 400 });
      await bed.venue.submit(late);
      expect(await bed.venue.advanceTo(T0 + 500)).toMatchObject([
        { kind: 'expired', order_id: late.orderId, code: 'expired' },
      ]);
      expect(await bed.venue.query('main', late.clientOrderId)).toMatchObject({
        known: true,
        status: 'expired',
        filledQuantity: '0',
      });
    });

    it('[INT-4] opens an account once and refuses to open it as another one', async () => {
      await bed.open();
      await bed.venue.market(tick(SPOT, 0, 40_000));
      await bed.venue.submit(bed.desk.order(SPOT, 'buy', '0.5'));
      const books = await bed.venue.books('main');
      await bed.venue.openAccount(bed.account({ openedAt: T0 + 5_000 }));
      expect(await bed.venue.books('main')).toEqual(books);
      const other = bed.account({ deposit: '1' });
      await expect(async () => bed.venue.openAccount(other)).rejects.toMatchObject({ code: 'account_differs' });
      const tooHigh = bed.account({ portfolio: 'second', leverage: { [PERP]: 41 } });
      await expect(async () => bed.venue.openAccount(tooHigh)).rejects.toMatchObject({ code: 'leverage' });
    });

    if (!isDurable) return;
    it('[INT-4] keeps books, orders, reports, nonces and handled events over a restart', async () => {
      await bed.open({ orderLatencyMs: 100 });
      const first = tick(SPOT, 0, 40_000);
      await bed.venue.market(first);
      const order = bed.desk.order(SPOT, 'buy', '0.5');
      await bed.venue.submit(order);
      await bed.venue.market(tick(SPOT, 200, 40_500));
      const resting = bed.desk.order(SPOT, 'buy', '0.5', { orderType: 'LIMIT', limitPrice: '39000', sentAt: 200 });
      await bed.venue.submit(resting);
      await bed.venue.advanceTo(T0 + 300);
      const pending = bed.desk.order(SPOT, 'buy', '0.1', { sentAt: 300 });
      await bed.venue.submit(pending);
      const before = {
        books: await bed.venue.books('main'),
        reports: await bed.venue.reportsSince('main', 0),
        causes: await bed.venue.marketCauses('main', 0),
        due: await bed.venue.nextDueAt(),
      };
      await bed.restart();
      expect({
        books: await bed.venue.books('main'),
        reports: await bed.venue.reportsSince('main', 0),
        causes: await bed.venue.marketCauses('main', 0),
        due: await bed.venue.nextDueAt(),
      }).toEqual(before);
      await expect(async () => bed.venue.submit(order)).rejects.toMatchObject({ code: 'nonce_used' });
      expect(await bed.venue.query('main', pending.clientOrderId)).toMatchObject({ known: true, status: 'pending' });
      expect(await bed.venue.market(first)).toEqual([]);
      const through = await bed.venue.market(tick(SPOT, 1_000, 38_000));
      // What another call handed out may be named again.
      const news = through.filter(({ venueSeq }) => venueSeq > before.books.lastVenueSeq);
      expect(news.map((report) => report.order_id)).toEqual([pending.orderId, pending.orderId, resting.orderId]);
    });
  });
}
