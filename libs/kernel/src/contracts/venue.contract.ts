import type { AccountSpec, VenuePort, VenueReport } from '../ports/venue';
import { barClosed, barOpened, funding, orderDesk, T0, tick, type OrderDesk } from '../testing/venue-desk';

/** What a test needs of a venue beyond its defaults. */
export interface VenueNeeds {
  /** Share of the traded volume that an order may take; without it orders are filled whole. */
  participation?: number;
  /** From the platform to the venue, feed ms. */
  orderLatencyMs?: number;
  /** From the venue to the platform, feed ms. */
  ackLatencyMs?: number;
}

/** A venue under test. */
export interface VenueHarness {
  venue: VenuePort;
  /** Signs for accounts that were opened with `signingKey`. */
  sign: (payload: string) => string;
  signingKey: string;
  /** Ends the venue as an accident would and starts it again; only of venues that keep their books. */
  restart?: () => Promise<VenuePort>;
  close: () => Promise<void>;
}

export interface VenueContract {
  /** What is under test; the name of the suite. */
  name: string;
  create: (needs: VenueNeeds) => Promise<VenueHarness>;
  /** True when the harness can `restart`. */
  isDurable: boolean;
}

const SPOT = 'BTCUSDT.BINANCE-SPOT';
const PERP = 'BTC.HYPERLIQUID';

/** The behaviours that the platform relies on, of every venue that is fed with market events. */
export function describeVenue({ name, create, isDurable }: VenueContract): void {
  describe(`venue contract: ${name}`, () => {
    let harness: VenueHarness;
    let venue: VenuePort;
    let desk: OrderDesk;

    async function open(needs: VenueNeeds = {}, spec: Partial<AccountSpec> = {}): Promise<void> {
      harness = await create(needs);
      venue = harness.venue;
      desk = orderDesk(harness.sign);
      await venue.openAccount(account(spec));
    }

    const account = (spec: Partial<AccountSpec> = {}): AccountSpec => ({
      portfolio: 'main',
      accountModel: 'cash',
      settlementAsset: 'USDT',
      deposit: '100000',
      leverage: { [SPOT]: 1 },
      signingKey: harness.signingKey,
      openedAt: T0,
      ...spec,
    });

    const marginAccount = (spec: Partial<AccountSpec> = {}): Partial<AccountSpec> => ({
      accountModel: 'margin',
      marginMode: 'isolated',
      settlementAsset: 'USDC',
      deposit: '20000',
      leverage: { [PERP]: 10 },
      ...spec,
    });

    const kinds = (reports: readonly VenueReport[]): string[] =>
      reports.map((report) => (report.code === undefined ? report.kind : `${report.kind} ${report.code}`));

    afterEach(async () => harness.close());

    it('[INT-4] fills a market order at the known price and reports acceptance, then fill', async () => {
      await open();
      await venue.market(tick(SPOT, 0, 40_000));
      const order = desk.order(SPOT, 'buy', '0.5', { sentAt: 10 });
      const reports = await venue.submit(order);
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
      expect(await venue.books('main')).toMatchObject({
        cash: '79980',
        fees: '20',
        positions: [{ instrument: SPOT, quantity: '0.5', costBasis: '20000' }],
        openOrders: [],
        lastVenueSeq: 2,
      });
    });

    it('[INT-4] turns an order down with a code and books nothing', async () => {
      await open();
      await venue.market(tick(SPOT, 0, 40_000));
      const refused = async (...draft: Parameters<OrderDesk['order']>) =>
        kinds(await venue.submit(desk.order(...draft)));
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
      expect(await venue.books('main')).toMatchObject({ cash: '100000', positions: [], openOrders: [] });
    });

    it('[INT-4] refuses a second use of a nonce, so that resent bytes are one order', async () => {
      await open();
      await venue.market(tick(SPOT, 0, 40_000));
      const order = desk.order(SPOT, 'buy', '0.5');
      await venue.submit(order);
      await expect(async () => venue.submit(order)).rejects.toMatchObject({ name: 'VenueRefused', code: 'nonce_used' });
      expect(await venue.query('main', order.clientOrderId)).toMatchObject({
        known: true,
        status: 'filled',
        orders: 1,
      });
      expect((await venue.books('main')).positions).toMatchObject([{ quantity: '0.5' }]);
    });

    it('[INT-4] refuses expired bytes, and says by its time that nothing can come of them any more', async () => {
      await open();
      const order = desk.order(SPOT, 'buy', '0.5', { expiresAt: 1_000 });
      await venue.market(tick(SPOT, 999, 40_000));
      expect(await venue.query('main', order.clientOrderId)).toEqual({ known: false, venueTime: T0 + 999 });
      await venue.advanceTo(T0 + 1_001);
      await expect(async () => venue.submit(order)).rejects.toMatchObject({ name: 'VenueRefused', code: 'expired' });
      expect(await venue.query('main', order.clientOrderId)).toEqual({ known: false, venueTime: T0 + 1_001 });
    });

    it('[INT-4] refuses what the account did not sign, and accounts that it does not know', async () => {
      await open();
      const forged = desk.order(SPOT, 'buy', '1', { signature: '0'.repeat(64) });
      await expect(async () => venue.submit(forged)).rejects.toMatchObject({ code: 'bad_signature' });
      const order = desk.order(SPOT, 'buy', '1');
      const changed = { ...order, payload: order.payload.replace('"quantity":"1"', '"quantity":"2"') };
      await expect(async () => venue.submit(changed)).rejects.toMatchObject({ code: 'bad_signature' });
      const relabelled = { ...order, nonce: order.nonce + 1 };
      await expect(async () => venue.submit(relabelled)).rejects.toMatchObject({ code: 'malformed' });
      const stranger = desk.order(SPOT, 'buy', '1', { portfolio: 'nobody' });
      await expect(async () => venue.submit(stranger)).rejects.toMatchObject({ code: 'unknown_account' });
      await expect(async () => venue.books('nobody')).rejects.toMatchObject({ code: 'unknown_account' });
    });

    it('[INT-4] takes a client order id again under a fresh nonce, as a second order', async () => {
      await open();
      await venue.market(tick(SPOT, 0, 40_000));
      await venue.submit(desk.order(SPOT, 'buy', '0.5', { clientOrderId: 'twice' }));
      await venue.submit(desk.order(SPOT, 'buy', '0.5', { clientOrderId: 'twice' }));
      expect(await venue.query('main', 'twice')).toMatchObject({ known: true, status: 'filled', orders: 2 });
      expect((await venue.books('main')).positions).toMatchObject([{ quantity: '1' }]);
    });

    it('[INT-4] answers what became of an order', async () => {
      await open();
      await venue.market(tick(SPOT, 0, 40_000));
      const resting = desk.order(SPOT, 'buy', '0.5', { orderType: 'LIMIT', limitPrice: '39000' });
      await venue.submit(resting);
      const status = await venue.query('main', resting.clientOrderId);
      expect(status).toMatchObject({ known: true, status: 'open', filledQuantity: '0', averagePrice: null });
      await venue.market(tick(SPOT, 1_000, 38_999));
      expect(await venue.query('main', resting.clientOrderId)).toMatchObject({
        known: true,
        venueTime: T0 + 1_000,
        orderId: resting.orderId,
        status: 'filled',
        filledQuantity: '0.5',
        averagePrice: '39000',
        fees: '19.5',
      });
      expect(await venue.query('main', 'never-sent')).toEqual({ known: false, venueTime: T0 + 1_000 });
      expect(await venue.query('nobody', 'never-sent')).toEqual({ known: false, venueTime: T0 + 1_000 });
    });

    it('[INT-4] handles a market event once and answers the same reports again', async () => {
      await open();
      await venue.market(tick(SPOT, 0, 40_000));
      await venue.submit(desk.order(SPOT, 'buy', '0.5', { orderType: 'LIMIT', limitPrice: '39000' }));
      const through = tick(SPOT, 1_000, 38_000);
      const first = await venue.market(through);
      expect(kinds(first)).toEqual(['filled']);
      const books = await venue.books('main');
      expect(await venue.market(through)).toEqual(first);
      expect(await venue.market(tick(SPOT, 0, 40_000))).toEqual([]);
      expect(await venue.books('main')).toEqual(books);
      expect(await venue.marketCauses('main', 0)).toEqual({ 2: through.id });
      expect(await venue.marketCauses('main', 2)).toEqual({});
    });

    it('[INT-4] numbers reports without a gap and keeps them', async () => {
      await open();
      const seen: VenueReport[] = [...(await venue.market(tick(SPOT, 0, 40_000)))];
      for (let i = 1; i <= 5; i += 1) {
        seen.push(...(await venue.submit(desk.order(SPOT, i % 2 === 1 ? 'buy' : 'sell', '0.5', { sentAt: i }))));
      }
      expect(seen.map((report) => report.venueSeq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(new Set(seen.map((report) => report.reportId)).size).toBe(10);
      expect(await venue.reportsSince('main', 0)).toEqual(seen);
      expect(await venue.reportsSince('main', 7)).toEqual(seen.slice(7));
      expect(await venue.reportsSince('main', 10)).toEqual([]);
    });

    it('[INT-4] never lets a reduce-only order open or turn a position', async () => {
      await open({}, marginAccount());
      await venue.market(tick(PERP, 0, 40_000));
      await venue.submit(desk.order(PERP, 'buy', '1'));
      expect(kinds(await venue.submit(desk.order(PERP, 'buy', '1', { reduceOnly: true })))).toEqual([
        'rejected reduce_only',
      ]);
      const reports = await venue.submit(desk.order(PERP, 'sell', '3', { reduceOnly: true }));
      expect(kinds(reports)).toEqual(['accepted', 'filled', 'cancelled reduce_only']);
      expect(reports.map((report) => report.quantity)).toEqual(['3', '1', '2']);
      expect((await venue.books('main')).positions).toEqual([]);
    });

    it('[INT-4] fills in part what the traded volume allows: the rest of GTC waits, the rest of IOC is cancelled', async () => {
      await open({ participation: 0.1 });
      await venue.market(tick(SPOT, 0, 40_000, { size: 2 }));
      const patient = desk.order(SPOT, 'buy', '0.5');
      expect((await venue.submit(patient)).map((report) => report.quantity)).toEqual(['0.5', '0.2']);
      expect(await venue.query('main', patient.clientOrderId)).toMatchObject({ status: 'open', filledQuantity: '0.2' });
      const hasty = desk.order(SPOT, 'buy', '0.5', { timeInForce: 'IOC', sentAt: 1_000 });
      await venue.market(tick(SPOT, 1_000, 40_000, { size: 10 }));
      expect(await venue.query('main', patient.clientOrderId)).toMatchObject({
        status: 'filled',
        filledQuantity: '0.5',
      });
      expect(await venue.submit(hasty)).toMatchObject([
        { kind: 'accepted', quantity: '0.5' },
        { kind: 'filled', quantity: '0.5' },
      ]);
      await venue.market(tick(SPOT, 2_000, 40_000, { size: 3 }));
      const cut = await venue.submit(desk.order(SPOT, 'buy', '0.5', { timeInForce: 'IOC', sentAt: 2_000 }));
      expect(kinds(cut)).toEqual(['accepted', 'filled', 'cancelled ioc_remainder']);
      expect(cut.map((report) => report.quantity)).toEqual(['0.5', '0.3', '0.2']);
    });

    it('[INT-4] rests a limit order, fills it as maker when the market trades through it, and cancels on request', async () => {
      await open();
      await venue.market(barOpened(SPOT, 0, 40_000));
      const filled = desk.order(SPOT, 'buy', '0.5', { orderType: 'LIMIT', limitPrice: '39000' });
      const cancelled = desk.order(SPOT, 'buy', '0.5', { orderType: 'LIMIT', limitPrice: '38000' });
      await venue.submit(filled);
      await venue.submit(cancelled);
      expect((await venue.books('main')).openOrders).toMatchObject([{ limitPrice: '39000' }, { limitPrice: '38000' }]);
      expect(await venue.market(barClosed(SPOT, 0, [40_000, 40_100, 38_500, 38_900]))).toMatchObject([
        { kind: 'filled', order_id: filled.orderId, price: '39000', liquidity: 'maker', timestamp: T0 + 60_000 },
      ]);
      const reports = await venue.cancel(desk.cancel(cancelled, 60_000));
      expect(reports).toMatchObject([{ kind: 'cancelled', order_id: cancelled.orderId, quantity: '0.5' }]);
      expect(kinds(await venue.cancel(desk.cancel(cancelled, 60_000)))).toEqual(['cancel_rejected unknown_order']);
      expect(kinds(await venue.cancel(desk.cancel(filled, 60_000)))).toEqual(['cancel_rejected unknown_order']);
    });

    it('[INT-4] turns a stop into a market order when its price is reached', async () => {
      await open({}, marginAccount());
      await venue.market(tick(PERP, 0, 40_000));
      await venue.submit(desk.order(PERP, 'buy', '1'));
      const stop = desk.order(PERP, 'sell', '1', { orderType: 'STOP', stopPrice: '39000', reduceOnly: true });
      expect(kinds(await venue.submit(stop))).toEqual(['accepted']);
      expect(await venue.market(tick(PERP, 1_000, 39_001))).toEqual([]);
      expect(await venue.market(tick(PERP, 2_000, 38_950))).toMatchObject([
        { kind: 'filled', price: '38950', liquidity: 'taker' },
      ]);
    });

    it('[INT-4] pays funding once for a settlement, on the position of its instant', async () => {
      await open({}, marginAccount());
      await venue.market(tick(PERP, 0, 40_000));
      await venue.submit(desk.order(PERP, 'buy', '1'));
      const settled = funding(PERP, 3_600_000, 0.0001, 40_100);
      expect(await venue.market(settled)).toMatchObject([
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
      expect(await venue.market(again)).toEqual([]);
      expect((await venue.books('main')).funding).toBe('-4.01');
    });

    it('[INT-4] calls for margin, then liquidates', async () => {
      await open({}, marginAccount({ positions: [{ instrument: PERP, side: 'long', quantity: '1', price: '40000' }] }));
      expect(await venue.market(tick(PERP, 0, 40_000))).toEqual([]);
      expect(kinds(await venue.market(tick(PERP, 1_000, 36_600)))).toEqual(['margin_call']);
      const reports = await venue.market(tick(PERP, 2_000, 36_450));
      expect(reports).toMatchObject([
        { kind: 'liquidation', side: 'sell', quantity: '1', price: '36450', instrument: PERP },
      ]);
      const books = await venue.books('main');
      expect(books.positions).toEqual([]);
      expect(books.realisedPnl).toBe('-3550');
    });

    it('[INT-4] lets an order take its time, there and back', async () => {
      await open({ orderLatencyMs: 100, ackLatencyMs: 50 });
      await venue.market(tick(SPOT, 0, 40_000));
      const order = desk.order(SPOT, 'buy', '0.5');
      expect(await venue.submit(order)).toEqual([]);
      expect(await venue.query('main', order.clientOrderId)).toMatchObject({ known: true, status: 'pending' });
      expect(await venue.nextDueAt()).toBe(T0 + 100);
      await venue.market(tick(SPOT, 90, 41_000));
      expect(await venue.advanceTo(T0 + 100)).toEqual([]);
      expect(await venue.query('main', order.clientOrderId)).toMatchObject({ status: 'filled', averagePrice: '41000' });
      expect(await venue.reportsSince('main', 0)).toEqual([]);
      expect(await venue.nextDueAt()).toBe(T0 + 150);
      const reports = await venue.market(tick(SPOT, 500, 42_000));
      expect(reports).toMatchObject([
        { kind: 'accepted', timestamp: T0 + 150 },
        { kind: 'filled', timestamp: T0 + 150, price: '41000' },
      ]);
      expect(await venue.nextDueAt()).toBeNull();
    });

    it('[INT-4] reports bytes that expired on their way as an expired order', async () => {
      await open({ orderLatencyMs: 500 });
      await venue.market(tick(SPOT, 0, 40_000));
      const late = desk.order(SPOT, 'buy', '0.5', { expiresAt: 400 });
      await venue.submit(late);
      expect(await venue.advanceTo(T0 + 500)).toMatchObject([
        { kind: 'expired', order_id: late.orderId, code: 'expired' },
      ]);
      expect(await venue.query('main', late.clientOrderId)).toMatchObject({
        known: true,
        status: 'expired',
        filledQuantity: '0',
      });
    });

    it('[INT-4] opens an account once and refuses to open it as another one', async () => {
      await open();
      await venue.market(tick(SPOT, 0, 40_000));
      await venue.submit(desk.order(SPOT, 'buy', '0.5'));
      const books = await venue.books('main');
      await venue.openAccount(account({ openedAt: T0 + 5_000 }));
      expect(await venue.books('main')).toEqual(books);
      const other = account({ deposit: '1' });
      await expect(async () => venue.openAccount(other)).rejects.toMatchObject({ code: 'account_differs' });
      const tooHigh = account({ portfolio: 'second', leverage: { [PERP]: 41 } });
      await expect(async () => venue.openAccount(tooHigh)).rejects.toMatchObject({ code: 'leverage' });
    });

    if (isDurable) {
      it('[INT-4] keeps books, orders, reports, nonces and handled events over a restart', async () => {
        await open({ orderLatencyMs: 100 });
        const first = tick(SPOT, 0, 40_000);
        await venue.market(first);
        const order = desk.order(SPOT, 'buy', '0.5');
        await venue.submit(order);
        await venue.market(tick(SPOT, 200, 40_500));
        const resting = desk.order(SPOT, 'buy', '0.5', { orderType: 'LIMIT', limitPrice: '39000', sentAt: 200 });
        await venue.submit(resting);
        await venue.advanceTo(T0 + 300);
        const pending = desk.order(SPOT, 'buy', '0.1', { sentAt: 300 });
        await venue.submit(pending);
        const before = {
          books: await venue.books('main'),
          reports: await venue.reportsSince('main', 0),
          causes: await venue.marketCauses('main', 0),
          due: await venue.nextDueAt(),
        };
        if (!harness.restart) throw new Error('A durable venue is to be restarted, and the harness cannot.');
        venue = await harness.restart();
        expect({
          books: await venue.books('main'),
          reports: await venue.reportsSince('main', 0),
          causes: await venue.marketCauses('main', 0),
          due: await venue.nextDueAt(),
        }).toEqual(before);
        await expect(async () => venue.submit(order)).rejects.toMatchObject({ code: 'nonce_used' });
        expect(await venue.query('main', pending.clientOrderId)).toMatchObject({ known: true, status: 'pending' });
        expect(await venue.market(first)).toEqual([]);
        const through = await venue.market(tick(SPOT, 1_000, 38_000));
        expect(through.map((report) => report.order_id)).toEqual([pending.orderId, pending.orderId, resting.orderId]);
      });
    }
  });
}
