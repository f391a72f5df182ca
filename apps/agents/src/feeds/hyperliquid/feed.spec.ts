import { RunningClock, type Clock } from '@moon/kernel';
import { bboMessage, contextMessage, META, rawCandles, rawTrade, tradesMessage } from '../testing/samples';
import { recordingSink, type RecordingSink } from '../testing/sink';
import { StubVenue, until } from '../testing/stub-venue';
import type { HyperliquidFeedConfig } from './config';
import { HyperliquidFeed } from './feed';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const QUICK: Partial<HyperliquidFeedConfig> = {
  ...{ coins: ['BTC'], bookIntervalMs: 0, referenceIntervalMs: 0, predictedIntervalMs: 0, warmupHours: 6 },
  ...{ reconnectMinMs: 10, reconnectMaxMs: 40, requestTimeoutMs: 1_000 },
};

describe('HyperliquidFeed', () => {
  let venue: StubVenue;
  let sink: RecordingSink;
  let feeds: HyperliquidFeed[];

  beforeEach(async () => {
    venue = await StubVenue.open();
    venue.answers.meta = () => META;
    venue.answers.recentTrades = () => [];
    venue.answers.fundingHistory = () => [];
    venue.answers.candleSnapshot = ({ req }) => {
      const { coin, startTime, endTime } = req as { coin: string; startTime: number; endTime: number };
      return rawCandles(startTime, endTime + 1, coin);
    };
    sink = recordingSink();
    feeds = [];
  });
  afterEach(async () => {
    await Promise.all(feeds.map((feed) => feed.stop()));
    await venue.close();
  });

  function feedOf(over: Partial<HyperliquidFeedConfig> = {}, clock: Clock = new RunningClock()): HyperliquidFeed {
    const feed = new HyperliquidFeed({ config: { ...QUICK, ...venue.urls, ...over }, clock, random: () => 0.5 });
    feeds.push(feed);
    return feed;
  }

  async function connected(over: Partial<HyperliquidFeedConfig> = {}, clock?: Clock): Promise<HyperliquidFeed> {
    const feed = feedOf(over, clock);
    await feed.start(sink);
    await until('everything is subscribed', () => /(\d+) of \1 subscriptions/.test(feed.status().detail));
    return feed;
  }

  const lastTicks = () => sink.of('price.tick').filter((tick) => tick.kind === 'last');
  const subscribes = () => venue.heard.filter(({ method }) => method === 'subscribe');

  it('subscribes to trades, best prices and context of each coin, and says that it is connected', async () => {
    const feed = await connected({ coins: ['BTC', 'ETH'] });
    expect(subscribes().map(({ subscription }) => subscription)).toEqual([
      { type: 'trades', coin: 'BTC' },
      { type: 'bbo', coin: 'BTC' },
      { type: 'activeAssetCtx', coin: 'BTC' },
      { type: 'trades', coin: 'ETH' },
      { type: 'bbo', coin: 'ETH' },
      { type: 'activeAssetCtx', coin: 'ETH' },
    ]);
    expect(sink.of('feed.status')[0]).toMatchObject({ feed: 'hyperliquid', status: 'connected' });
    expect(feed.instruments()).toEqual(['BTC.HYPERLIQUID', 'ETH.HYPERLIQUID']);
  });

  it('[EVT-1] turns trades into ticks with the quote volume of the last minute, as root inputs of mode live', async () => {
    const now = Date.now();
    await connected();
    await venue.send(
      tradesMessage(rawTrade(now - 90_000, { px: '100.0', sz: '7' }), rawTrade(now - 30_000, { px: '101.0', sz: '2' })),
    );
    await venue.send(tradesMessage(rawTrade(now, { px: '102.5', sz: '3', side: 'A', tid: 42 })));
    expect(lastTicks().map(({ price, volume_1m }) => [price, volume_1m])).toEqual([
      [101, 202],
      [102.5, 509.5],
    ]);
    const event = sink.events[sink.events.length - 1];
    expect(event).toMatchObject({
      ...{ source: 'feed/hyperliquid', key: 'BTC', occurredAt: now, correlationId: event?.id, causationId: null },
      headers: { mode: 'live' },
      data: {
        token: 'BTC',
        instrument: 'BTC.HYPERLIQUID',
        kind: 'last',
        side: 'sell',
        size: 3,
        tradeId: '42',
        timestamp: now,
      },
    });
  });

  it('says a trade once, however often the venue does, under an id made of its tid', async () => {
    const trade = rawTrade(Date.now());
    const feed = await connected();
    for (let time = 0; time < 3; time += 1) await venue.send(tradesMessage(trade));
    expect(lastTicks()).toHaveLength(1);
    expect(feed.status().repeats).toBe(2);
    const again = recordingSink();
    const other = feedOf();
    await other.start(again);
    await until('the other one is subscribed', () => other.status().detail.includes('3 of 3'));
    await venue.send(tradesMessage({ ...trade, hash: '0x1' }));
    expect(again.events.find(({ type }) => type === 'price.tick')?.id).toBe(
      sink.events.find(({ type }) => type === 'price.tick')?.id,
    );
  });

  it('says bid and ask only when they change, at most once per interval, and the last change for sure', async () => {
    const now = Date.now();
    await connected({ bookIntervalMs: 300 });
    await venue.send(bboMessage(now, '105055.0', '105056.0'));
    await venue.send(bboMessage(now + 1, '105055.0', '105057.0'));
    await venue.send(bboMessage(now + 2, '105055.0', '105058.0'));
    const quotes = () => sink.of('price.tick').map(({ kind, price }) => [kind, price]);
    expect(quotes()).toEqual([
      ['bid', 105055],
      ['ask', 105056],
    ]);
    await until('the waiting change is said', () => quotes().length > 2);
    expect(quotes().slice(2)).toEqual([['ask', 105058]]);
  });

  it('says mark, oracle and the predicted rate, which settles at the next full hour', async () => {
    await connected();
    await venue.send(contextMessage());
    await venue.send(contextMessage());
    expect(sink.of('price.tick').map(({ kind, price }) => [kind, price])).toEqual([
      ['mark', 105052],
      ['oracle', 105040],
    ]);
    const [funding, ...more] = sink.of('funding.update');
    expect(more).toEqual([]);
    expect(funding).toMatchObject({ rate: 0.0000125, intervalHours: 1, status: 'predicted', oraclePrice: 105040 });
    expect((funding?.settlesAt ?? 0) % HOUR).toBe(0);
    expect((funding?.settlesAt ?? 0) - (funding?.timestamp ?? 0)).toBeLessThanOrEqual(HOUR);
  });

  it('[FLW-2] refuses what is malformed or breaks a rule, counts it by reason, and publishes nothing of it', async () => {
    const now = Date.now();
    const feed = await connected();
    await venue.send('nonsense \u0007 \u{1F311}');
    await venue.sendBinary(Buffer.from([1, 2, 3]));
    await venue.send({ channel: 'error', data: 'Already subscribed: {…}' });
    await venue.send(tradesMessage(rawTrade(now, { px: '-1' }), rawTrade(now), rawTrade(now + 10 * MINUTE)));
    await venue.send(tradesMessage(rawTrade(now, { coin: 'DOGE' })));
    await venue.send(bboMessage(now, '105056.0', '105055.0'));
    await venue.send(bboMessage(now + 10 * MINUTE, '105056.0', '105057.0'));
    await venue.send(contextMessage({}, 'ETH'));
    expect(feed.status().refusedByReason).toEqual({
      ...{ json: 1, binary: 1, venue_error: 1, not_positive: 1, future: 2, unknown_coin: 2, crossed_book: 1 },
    });
    expect(sink.refusals.map(({ reason }) => reason).sort()).toEqual([
      'binary',
      'crossed_book',
      'future',
      'future',
      'json',
      'not_positive',
      'unknown_coin',
      'unknown_coin',
      'venue_error',
    ]);
    expect(sink.refusals.find(({ reason }) => reason === 'json')?.sample).toMatch(/^nonsense +$/);
    expect(sink.of('price.tick')).toHaveLength(1);
  });

  it('[INT-2] reconnects after a loss, subscribes again, tells the gap, and fills it without doubling a trade', async () => {
    const now = Date.now();
    const [known, missedA, missedB, after] = [
      rawTrade(now - 4),
      rawTrade(now - 3),
      rawTrade(now - 2),
      rawTrade(now - 1),
    ];
    const feed = await connected();
    await venue.send(tradesMessage(known));
    venue.answers.recentTrades = () => [missedB, missedA, known];
    venue.snapshot = ({ type }) => (type === 'trades' ? JSON.stringify(tradesMessage(missedB, after)) : null);
    venue.dropMidFrame();
    await until('the gap is told', () => sink.of('feed.gap').length > 0);
    await until('what came meanwhile is said', () => lastTicks().length === 4);
    expect(lastTicks().map(({ tradeId }) => tradeId)).toEqual(
      [known, missedA, missedB, after].map(({ tid }) => String(tid)),
    );
    expect(sink.of('feed.gap')[0]).toMatchObject({ feed: 'hyperliquid', instrument: 'BTC.HYPERLIQUID', filled: true });
    expect(sink.of('feed.status').map(({ status }) => status)).toEqual(['connected', 'disconnected', 'connected']);
    expect(subscribes()).toHaveLength(6);
    expect(feed.status()).toMatchObject({ state: 'connected', reconnects: 1, gaps: 1, repeats: 2 });
  });

  it('says so when a gap cannot be filled, and goes on', async () => {
    const feed = await connected();
    await venue.send(tradesMessage(rawTrade(Date.now() - 5)));
    delete venue.answers.recentTrades;
    venue.dropAll();
    await until('the gap is told', () => sink.of('feed.gap').length > 0);
    expect(sink.of('feed.gap')[0]).toMatchObject({ filled: false });
    expect(sink.of('feed.gap')[0]?.reason).toMatch(/not filled.*status 422/);
    await venue.send(tradesMessage(rawTrade(Date.now())));
    expect(lastTicks()).toHaveLength(2);
    expect(feed.status().state).toBe('connected');
  });

  it('fills the whole minutes of a long gap with bars that agents take as history', async () => {
    // A clock that runs 6,000 times as fast: 50 ms are five minutes.
    const clock = new RunningClock(6_000, 1_737_918_000_000);
    await connected(
      { reconnectMinMs: 300_000, reconnectMaxMs: 600_000, silenceMs: 3_600_000, pingMs: 1_800_000 },
      clock,
    );
    await venue.send(tradesMessage(rawTrade(clock.now())));
    venue.dropAll();
    await until('the gap is told', () => sink.of('feed.gap').length > 0);
    const [gap] = sink.of('feed.gap');
    const bars = sink.events.filter((event) => event.type === 'bar.closed');
    const minutes = Math.floor((gap?.toMs ?? 0) / MINUTE) - Math.ceil((gap?.fromMs ?? 0) / MINUTE);
    expect(minutes).toBeGreaterThanOrEqual(2);
    expect(gap?.filled).toBe(true);
    expect(bars.length).toBeGreaterThanOrEqual(minutes);
    expect(bars.every((bar) => bar.headers?.warmup === true && bar.occurredAt <= (gap?.timestamp ?? 0))).toBe(true);
  });

  it('keeps events while it is paused, in order, and lets the connection go when it can keep no more', async () => {
    const now = Date.now();
    const feed = await connected({ spoolEvents: 3 });
    const trades = Array.from({ length: 4 }, (_, index) => rawTrade(now - 10 + index));
    feed.pause();
    await venue.send(tradesMessage(...trades.slice(0, 2)));
    expect(lastTicks()).toHaveLength(0);
    feed.resume();
    expect(lastTicks()).toHaveLength(2);
    feed.pause();
    await venue.send(tradesMessage(...trades.slice(2), rawTrade(now - 5), rawTrade(now - 4)));
    expect(feed.status()).toMatchObject({ state: 'paused' });
    expect(feed.status().detail).toMatch(/held back/);
    feed.resume();
    await until('the gap is told', () => sink.of('feed.gap').length > 0);
    expect(lastTicks()).toHaveLength(6);
    expect(sink.of('feed.status').map(({ status }) => status)).toEqual(['connected', 'disconnected', 'connected']);
  });

  it('stops by itself when the runtime takes no more, and nothing comes after a stop', async () => {
    const feed = await connected();
    sink.takes = false;
    await venue.send(tradesMessage(rawTrade(Date.now())));
    await until('it has stopped', () => feed.status().state === 'stopped');
    sink.takes = true;
    await venue.send(tradesMessage(rawTrade(Date.now())));
    expect(lastTicks()).toHaveLength(0);
  });

  it('refuses a configuration that does not fit its schema, and a name that is no perpetual', () => {
    expect(() => feedOf({ pingMs: -1 })).toThrow(/Configuration of feed hyperliquid: \/pingMs is -1/);
    expect(() => feedOf({ coins: ['@107'] })).toThrow(/\/coins\/0 is "@107"/);
  });

  describe('history', () => {
    const NOON = 1_737_979_200_000;

    it('gives terms, at least six hours of whole one-minute bars and settled rates, oldest first, as warm-up', async () => {
      venue.answers.fundingHistory = () => [
        { coin: 'BTC', fundingRate: '0.0000125', premium: '0', time: NOON - 2 * HOUR + 76 },
        { coin: 'BTC', fundingRate: '-0.00002', premium: '0', time: NOON + 50 },
      ];
      const now = NOON + 17_345;
      const events = await feedOf().warmup(now);
      expect(events.every((event) => event.headers?.warmup === true && event.headers.mode === 'live')).toBe(true);
      const times = events.map((event) => event.occurredAt);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(events[0]?.data).toMatchObject({
        event_type: 'instrument.listed',
        instrument: 'BTC.HYPERLIQUID',
        lot: '0.00001',
      });
      const bars = events.filter((event) => event.type === 'bar.closed');
      expect(bars).toHaveLength(360);
      expect(bars[bars.length - 1]?.occurredAt).toBe(NOON);
      const rates = events.filter((event) => event.type === 'funding.update').map((event) => event.data);
      expect(rates).toMatchObject([
        { status: 'settled', settlesAt: NOON - 2 * HOUR, rate: 0.0000125 },
        { status: 'settled', settlesAt: NOON, timestamp: NOON + 50, rate: -0.00002 },
      ]);
    });

    it('[FLW-2] leaves out and counts bars that do not fit together, and tells them once there is a sink', async () => {
      venue.answers.candleSnapshot = () =>
        rawCandles(NOON - 10 * MINUTE, NOON).map((bar, at) => (at === 3 ? { ...bar, l: '999999.0' } : bar));
      const feed = feedOf();
      const events = await feed.warmup(NOON + 1);
      expect(events.filter((event) => event.type === 'bar.closed')).toHaveLength(9);
      expect(feed.status().refusedByReason).toEqual({ ohlc_inconsistent: 1 });
      await feed.start(sink);
      expect(sink.refusals).toHaveLength(1);
    });

    it('fails with a clear message when the venue does not answer, or has delisted the coin', async () => {
      await expect(feedOf({ coins: ['LOOM'] }).warmup(NOON)).rejects.toThrow(/delisted "LOOM"/);
      await expect(feedOf({ coins: ['NONE'] }).warmup(NOON)).rejects.toThrow(/no perpetual "NONE"/);
      const gone = await StubVenue.open();
      const { restUrl } = gone.urls;
      await gone.close();
      await expect(feedOf({ restUrl }).warmup(NOON)).rejects.toThrow(/gives no answer to meta.*ECONNREFUSED/);
      venue.answers.meta = () => new Promise((resolve) => setTimeout(() => resolve(META), 200));
      await expect(feedOf({ requestTimeoutMs: 50 }).warmup(NOON)).rejects.toThrow(/none within 50 ms/);
    });

    it('bridges the minutes between the history and the first whole live minute', async () => {
      const clock = new RunningClock(3_000, NOON + 50_000);
      const feed = feedOf({ silenceMs: 3_600_000, pingMs: 1_800_000 }, clock);
      const past = await feed.warmup(clock.now());
      const lastBar = past.filter((event) => event.type === 'bar.closed').pop();
      await feed.start(sink);
      await until('the bridge is there', () => sink.of('bar.closed').length > 0);
      const bars = sink.of('bar.closed');
      expect(bars[0]?.openedAt).toBe(lastBar?.occurredAt);
      expect(sink.events.filter(({ type }) => type === 'bar.closed').every((bar) => bar.headers?.warmup === true)).toBe(
        true,
      );
    });

    it('asks for the settled rate after each full hour until the venue has it, and says it once', async () => {
      const clock = new RunningClock(1_000, NOON - 10_000);
      let asked = 0;
      venue.answers.fundingHistory = () => {
        asked += 1;
        return asked < 3 ? [] : [{ coin: 'BTC', fundingRate: '0.0000321', premium: '0', time: NOON + 76 }];
      };
      await connected({ silenceMs: 3_600_000, pingMs: 1_800_000 }, clock);
      await until('the rate is said', () => sink.of('funding.update').length > 0);
      await new Promise((resolve) => setTimeout(resolve, 150));
      expect(sink.of('funding.update')).toEqual([
        expect.objectContaining({ status: 'settled', rate: 0.0000321, settlesAt: NOON, timestamp: NOON + 76 }),
      ]);
      expect(asked).toBe(3);
    });
  });
});
