import type { VenueReport } from '../ports/venue';
import { kinds, PERP, SPOT, VenueBed, type VenueContract } from '../testing/venue-bed';
import { barClosed, barOpened, T0, tick, type OrderDesk } from '../testing/venue-desk';
import { describeVenueAccounts } from './venue-accounts.contract';

/** The behaviours that the platform relies on, of every venue that is fed with market events. */
export function describeVenue(contract: VenueContract): void {
  describe(`venue contract: ${contract.name}`, () => {
    const bed = new VenueBed(contract.create);

    afterEach(async () => bed.close());

    it('[INT-4] fills a market order at the known price and reports acceptance, then fill', async () => {
      await bed.open();
      await bed.venue.market(tick(SPOT, 0, 40_000));
      const order = bed.desk.order(SPOT, 'buy', '0.5', { sentAt: 10 });
      const reports = await bed.venue.submit(order);
      const common = { portfolio: 'main', order_id: order.orderId, instrument: SPOT, token: 'BTC', timestamp: T0 + 10 };
      expect(reports).toMatchObject([
        { ...common, kind: 'accepted', venueSeq: 1, quantity: '0.5' },
        {
          ...common,
          kind: 'filled',
          venueSeq: 2,
          side: 'buy',
          price: '40000',
          quantity: '0.5',
          fee: '20',
          feeAsset: 'USDT',
          liquidity: 'taker',
        },
      ]);
      expect(reports[1]?.venueOrderId).toBe(reports[0]?.venueOrderId);
      expect(await bed.venue.books('main')).toMatchObject({
        cash: '79980',
        fees: '20',
        positions: [{ instrument: SPOT, quantity: '0.5', costBasis: '20000' }],
        openOrders: [],
        lastVenueSeq: 2,
      });
    });

    it('[INT-4] turns an order down with a code and books nothing', async () => {
      await bed.open();
      await bed.venue.market(tick(SPOT, 0, 40_000));
      const refused = async (...draft: Parameters<OrderDesk['order']>) =>
        kinds(await bed.venue.submit(bed.desk.order(...draft)));
      expect(await refused(SPOT, 'buy', '3')).toEqual(['rejected insufficient_funds']);
      expect(await refused(SPOT, 'sell', '1')).toEqual(['rejected insufficient_funds']);
      expect(await refused(SPOT, 'buy', '0.0000001')).toEqual(['rejected lot']);
      expect(await refused(SPOT, 'buy', '0.00001')).toEqual(['rejected min_notional']);
      expect(await refused('NOSUCH', 'buy', '1')).toEqual(['rejected unknown_instrument']);
      expect(await refused(PERP, 'buy', '1')).toEqual(['rejected settlement_asset']);
      expect(await refused(SPOT, 'buy', '1', { orderType: 'LIMIT', limitPrice: '40000.001' })).toEqual([
        'rejected tick',
      ]);
      expect(await refused(SPOT, 'buy', '1', { reduceOnly: true })).toEqual(['rejected reduce_only']);
      expect(await bed.venue.books('main')).toMatchObject({ cash: '100000', positions: [], openOrders: [] });
    });

    it('[INT-4] refuses a second use of a nonce, so that resent bytes are one order', async () => {
      await bed.open();
      await bed.venue.market(tick(SPOT, 0, 40_000));
      const order = bed.desk.order(SPOT, 'buy', '0.5');
      await bed.venue.submit(order);
      await expect(async () => bed.venue.submit(order)).rejects.toMatchObject({
        name: 'VenueRefused',
        code: 'nonce_used',
      });
      expect(await bed.venue.query('main', order.clientOrderId)).toMatchObject({
        known: true,
        status: 'filled',
        orders: 1,
      });
      expect((await bed.venue.books('main')).positions).toMatchObject([{ quantity: '0.5' }]);
    });

    it('[INT-4] refuses expired bytes, and says by its time that nothing can come of them any more', async () => {
      await bed.open();
      const order = bed.desk.order(SPOT, 'buy', '0.5', { expiresAt: 1_000 });
      await bed.venue.market(tick(SPOT, 999, 40_000));
      expect(await bed.venue.query('main', order.clientOrderId)).toEqual({ known: false, venueTime: T0 + 999 });
      await bed.venue.advanceTo(T0 + 1_001);
      await expect(async () => bed.venue.submit(order)).rejects.toMatchObject({
        name: 'VenueRefused',
        code: 'expired',
      });
      expect(await bed.venue.query('main', order.clientOrderId)).toEqual({ known: false, venueTime: T0 + 1_001 });
    });

    it('[INT-4] refuses what the account did not sign, and accounts that it does not know', async () => {
      await bed.open();
      const forged = bed.desk.order(SPOT, 'buy', '1', { signature: '0'.repeat(64) });
      await expect(async () => bed.venue.submit(forged)).rejects.toMatchObject({ code: 'bad_signature' });
      const order = bed.desk.order(SPOT, 'buy', '1');
      const changed = { ...order, payload: order.payload.replace('"quantity":"1"', '"quantity":"2"') };
      await expect(async () => bed.venue.submit(changed)).rejects.toMatchObject({ code: 'bad_signature' });
      const relabelled = { ...order, nonce: order.nonce + 1 };
      await expect(async () => bed.venue.submit(relabelled)).rejects.toMatchObject({ code: 'malformed' });
      const stranger = bed.desk.order(SPOT, 'buy', '1', { portfolio: 'nobody' });
      await expect(async () => bed.venue.submit(stranger)).rejects.toMatchObject({ code: 'unknown_account' });
      await expect(async () => bed.venue.books('nobody')).rejects.toMatchObject({ code: 'unknown_account' });
    });

    it('[INT-4] takes a client order id again under a fresh nonce, as a second order', async () => {
      await bed.open();
      await bed.venue.market(tick(SPOT, 0, 40_000));
      await bed.venue.submit(bed.desk.order(SPOT, 'buy', '0.5', { clientOrderId: 'twice' }));
      await bed.venue.submit(bed.desk.order(SPOT, 'buy', '0.5', { clientOrderId: 'twice' }));
      expect(await bed.venue.query('main', 'twice')).toMatchObject({ known: true, status: 'filled', orders: 2 });
      expect((await bed.venue.books('main')).positions).toMatchObject([{ quantity: '1' }]);
    });

    it('[INT-4] answers what became of an order', async () => {
      await bed.open();
      await bed.venue.market(tick(SPOT, 0, 40_000));
      const resting = bed.desk.order(SPOT, 'buy', '0.5', { orderType: 'LIMIT', limitPrice: '39000' });
      await bed.venue.submit(resting);
      const status = await bed.venue.query('main', resting.clientOrderId);
      expect(status).toMatchObject({ known: true, status: 'open', filledQuantity: '0', averagePrice: null });
      await bed.venue.market(tick(SPOT, 1_000, 38_999));
      expect(await bed.venue.query('main', resting.clientOrderId)).toMatchObject({
        known: true,
        venueTime: T0 + 1_000,
        orderId: resting.orderId,
        status: 'filled',
        filledQuantity: '0.5',
        averagePrice: '39000',
        fees: '19.5',
      });
      expect(await bed.venue.query('main', 'never-sent')).toEqual({ known: false, venueTime: T0 + 1_000 });
      expect(await bed.venue.query('nobody', 'never-sent')).toEqual({ known: false, venueTime: T0 + 1_000 });
    });

    it('[INT-4] handles a market event once and answers the same reports again', async () => {
      await bed.open();
      await bed.venue.market(tick(SPOT, 0, 40_000));
      await bed.venue.submit(bed.desk.order(SPOT, 'buy', '0.5', { orderType: 'LIMIT', limitPrice: '39000' }));
      const through = tick(SPOT, 1_000, 38_000);
      const first = await bed.venue.market(through);
      expect(kinds(first)).toEqual(['filled']);
      const books = await bed.venue.books('main');
      expect(await bed.venue.market(through)).toEqual(first);
      expect(await bed.venue.market(tick(SPOT, 0, 40_000))).toEqual([]);
      expect(await bed.venue.books('main')).toEqual(books);
      expect(await bed.venue.marketCauses('main', 0)).toEqual({ 2: through.id });
      expect(await bed.venue.marketCauses('main', 2)).toEqual({});
    });

    it('[INT-4] numbers reports without a gap and keeps them', async () => {
      await bed.open();
      const seen: VenueReport[] = [...(await bed.venue.market(tick(SPOT, 0, 40_000)))];
      for (let i = 1; i <= 5; i += 1) {
        seen.push(
          ...(await bed.venue.submit(bed.desk.order(SPOT, i % 2 === 1 ? 'buy' : 'sell', '0.5', { sentAt: i }))),
        );
      }
      expect(seen.map((report) => report.venueSeq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(new Set(seen.map((report) => report.reportId)).size).toBe(10);
      expect(await bed.venue.reportsSince('main', 0)).toEqual(seen);
      expect(await bed.venue.reportsSince('main', 7)).toEqual(seen.slice(7));
      expect(await bed.venue.reportsSince('main', 10)).toEqual([]);
    });

    it('[INT-4] fills in part what the traded volume allows: the rest of GTC waits, the rest of IOC is cancelled', async () => {
      await bed.open({ participation: 0.1 });
      await bed.venue.market(tick(SPOT, 0, 40_000, { size: 2 }));
      const patient = bed.desk.order(SPOT, 'buy', '0.5');
      expect((await bed.venue.submit(patient)).map((report) => report.quantity)).toEqual(['0.5', '0.2']);
      expect(await bed.venue.query('main', patient.clientOrderId)).toMatchObject({
        status: 'open',
        filledQuantity: '0.2',
      });
      const hasty = bed.desk.order(SPOT, 'buy', '0.5', { timeInForce: 'IOC', sentAt: 1_000 });
      await bed.venue.market(tick(SPOT, 1_000, 40_000, { size: 10 }));
      expect(await bed.venue.query('main', patient.clientOrderId)).toMatchObject({
        status: 'filled',
        filledQuantity: '0.5',
      });
      expect(await bed.venue.submit(hasty)).toMatchObject([
        { kind: 'accepted', quantity: '0.5' },
        { kind: 'filled', quantity: '0.5' },
      ]);
      await bed.venue.market(tick(SPOT, 2_000, 40_000, { size: 3 }));
      const cut = await bed.venue.submit(bed.desk.order(SPOT, 'buy', '0.5', { timeInForce: 'IOC', sentAt: 2_000 }));
      expect(kinds(cut)).toEqual(['accepted', 'filled', 'cancelled ioc_remainder']);
      expect(cut.map((report) => report.quantity)).toEqual(['0.5', '0.3', '0.2']);
    });

    it('[INT-4] rests a limit order, fills it as maker when the market trades through it, and cancels on request', async () => {
      await bed.open();
      await bed.venue.market(barOpened(SPOT, 0, 40_000));
      const filled = bed.desk.order(SPOT, 'buy', '0.5', { orderType: 'LIMIT', limitPrice: '39000' });
      const cancelled = bed.desk.order(SPOT, 'buy', '0.5', { orderType: 'LIMIT', limitPrice: '38000' });
      await bed.venue.submit(filled);
      await bed.venue.submit(cancelled);
      expect((await bed.venue.books('main')).openOrders).toMatchObject([
        { limitPrice: '39000' },
        { limitPrice: '38000' },
      ]);
      expect(await bed.venue.market(barClosed(SPOT, 0, [40_000, 40_100, 38_500, 38_900]))).toMatchObject([
        { kind: 'filled', order_id: filled.orderId, price: '39000', liquidity: 'maker', timestamp: T0 + 60_000 },
      ]);
      const reports = await bed.venue.cancel(bed.desk.cancel(cancelled, 60_000));
      expect(reports).toMatchObject([{ kind: 'cancelled', order_id: cancelled.orderId, quantity: '0.5' }]);
      expect(kinds(await bed.venue.cancel(bed.desk.cancel(cancelled, 60_000)))).toEqual([
        'cancel_rejected unknown_order',
      ]);
      expect(kinds(await bed.venue.cancel(bed.desk.cancel(filled, 60_000)))).toEqual(['cancel_rejected unknown_order']);
    });
  });

  describeVenueAccounts(contract);
}
