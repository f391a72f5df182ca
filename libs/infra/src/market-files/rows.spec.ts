import { instrumentForFeed, minuteQuoteVolume } from '@moon/domain';
import { readerWith, TestFiles } from './testing/read-files';

const readAll = readerWith(instrumentForFeed, minuteQuoteVolume);

const T = 1_640_995_200_000;
const CANDLES = 'timestamp_ms,symbol,open,high,low,close,volume';
const TRADES = 'timestamp_ms,symbol,price,size,side';
const FUNDING = 'timestamp_ms,symbol,rate';
const LIQUIDATIONS = 'timestamp_ms,symbol,side,price,size';
const SENTIMENT = 'timestamp_ms,symbol,score,text_or_source';

describe('rows of market files', () => {
  const files = new TestFiles();
  afterAll(() => files.remove());
  let count = 0;

  const read = (header: string, ...rows: string[]) =>
    readAll([files.write(`file-${(count += 1)}.csv`, [header, ...rows, ''].join('\n'))]);

  it('makes a candle bar.opened at its stamp and bar.closed at its end', async () => {
    const { events } = await read(CANDLES, `${T},BTCUSDT,46216.93,46271.08,46208.37,46250,40.57574`);
    const common = { token: 'BTC', instrument: 'BTCUSDT.BINANCE-SPOT', intervalMs: 60_000, open: 46216.93 };
    expect(events.map(({ data }) => data)).toEqual([
      { event_type: 'bar.opened', ...common, timestamp: T },
      {
        event_type: 'bar.closed',
        ...common,
        high: 46271.08,
        low: 46208.37,
        close: 46250,
        volume: 40.57574,
        timestamp: T + 60_000,
        openedAt: T,
      },
    ]);
    expect(events[0]).toMatchObject({
      source: 'feed/recorded',
      key: 'BTC',
      occurredAt: T,
      causationId: null,
      headers: { mode: 'recorded' },
    });
    expect(events[0]?.correlationId).toBe(events[0]?.id);
  });

  it('tells the length of candles from their distance', async () => {
    const { events } = await read(CANDLES, ...[0, 1, 3].map((hour) => `${T + hour * 3_600_000},ETHUSDT,1,1,1,1,0`));
    expect(events.every(({ data }) => 'intervalMs' in data && data.intervalMs === 3_600_000)).toBe(true);
  });

  it('makes a trade a tick of kind last with the quote volume of the last minute', async () => {
    const { events } = await read(
      TRADES,
      `${T},BTCUSDT,100,2,buy`,
      `${T + 59_999},BTCUSDT,200,1,sell`,
      `${T + 60_000},BTCUSDT,300,1,buy`,
    );
    const [first] = events;
    expect(first?.data).toMatchObject({
      event_type: 'price.tick',
      kind: 'last',
      price: 100,
      size: 2,
      side: 'buy',
      timestamp: T,
    });
    expect(events.map(({ data }) => 'volume_1m' in data && data.volume_1m)).toEqual([200, 400, 500]);
  });

  it('counts inverse contracts at their value in quote currency', async () => {
    const path = files.write('binance-coinm.csv', `${TRADES}\n${T},BTCUSD_PERP,61804.8,4,buy\n`);
    const { events } = await readAll([path]);
    expect(events[0]?.data).toMatchObject({ instrument: 'BTCUSD_PERP.BINANCE-COINM', size: 4, volume_1m: 400 });
  });

  it('makes funding a settled rate of the whole interval that its late stamp belongs to', async () => {
    const eight = Date.UTC(2022, 0, 1, 8);
    const { events } = await read(FUNDING, `${eight + 17},BTCUSDT,-0.0001`, `${eight + 3_600_000},BTCUSDT,0.0002`);
    expect(events.map(({ data }) => data)).toMatchObject([
      {
        instrument: 'BTCUSDT.BINANCE-USDM',
        rate: -0.0001,
        intervalHours: 8,
        status: 'settled',
        settlesAt: eight,
        timestamp: eight + 17,
      },
      { settlesAt: eight + 3_600_000 },
    ]);
  });

  it('keeps a liquidation as its source told it', async () => {
    const { events } = await read(LIQUIDATIONS, `${T},LRCUSDT,sell,0.17057,226`);
    expect(events[0]?.data).toMatchObject({
      event_type: 'market.liquidation',
      token: 'LRC',
      side: 'sell',
      price: 0.17057,
      size: 226,
    });
  });

  it('reads source, scale and text of sentiment, quotes as in RFC 4180', async () => {
    const { events } = await read(
      SENTIMENT,
      `${T},BTC,27,"fear_greed_index:Fear"`,
      `${T},ETH,-1,"tradingview:ETHUSD ""dead"", say – everybody 📉"`,
      `${T},SOL,0.25,reddit_comments`,
    );
    expect(events.map(({ data }) => data)).toMatchObject([
      { token: 'BTC', source: 'fear_greed_index', score: 27, scaleMin: 0, scaleMax: 100, text: 'Fear' },
      {
        token: 'ETH',
        source: 'tradingview',
        score: -1,
        scaleMin: -1,
        scaleMax: 1,
        text: 'ETHUSD "dead", say – everybody 📉',
      },
      { token: 'SOL', source: 'reddit_comments', score: 0.25, text: '' },
    ]);
  });

  it('keeps the same post about two tokens apart', async () => {
    const { events } = await read(SENTIMENT, `${T},BTC,1,"tradingview:up"`, `${T},ETH,1,"tradingview:up"`);
    expect(new Set(events.map(({ id }) => id)).size).toBe(2);
  });

  it('reads a source that stamps closes and counts volume in quote currency', async () => {
    const path = files.write('BTC-PERP-1m.csv', `${CANDLES}\n${T},BTC-PERP,46300,46400,46200,46300,463000\n`);
    const { events, source } = await readAll([path]);
    expect(events.map(({ data }) => data)).toMatchObject([
      { event_type: 'bar.opened', instrument: 'BTC-PERP.FTX', timestamp: T - 60_000 },
      { event_type: 'bar.closed', openedAt: T - 60_000, timestamp: T, volume: 10 },
    ]);
    expect(source.startsAt).toBe(T - 60_000);
    const plain = await readAll([{ path, stampsClose: false, hasQuoteVolume: false }]);
    expect(plain.events[1]?.data).toMatchObject({ openedAt: T, volume: 463000 });
  });

  const candle = (over: Record<number, string>): string =>
    [`${T}`, 'BTCUSDT', '100', '110', '90', '105', '3'].map((value, index) => over[index] ?? value).join(',');
  const trade = (over: Record<number, string>): string =>
    [`${T}`, 'BTCUSDT', '100', '2', 'buy'].map((value, index) => over[index] ?? value).join(',');

  it.each([
    ['column_count', TRADES, `${T},BTCUSDT,100,2`],
    ['column_count', TRADES, `${T},BTCUSDT,100,2,buy,`],
    ['column_count', TRADES, 'nonsense'],
    ['bad_quotes', SENTIMENT, `${T},BTC,1,"tradingview:never closed`],
    ['bad_timestamp', TRADES, trade({ 0: '' })],
    ['bad_timestamp', TRADES, trade({ 0: '2022-01-01' })],
    ['bad_timestamp', TRADES, trade({ 0: '1640995200000.5' })],
    ['bad_timestamp', TRADES, trade({ 0: '-1640995200000' })],
    ['bad_timestamp', TRADES, trade({ 0: '0' })],
    ['bad_timestamp', TRADES, trade({ 0: '5000000000000' })],
    ['timestamp_unit', TRADES, trade({ 0: '1640995200' })],
    ['timestamp_unit', TRADES, trade({ 0: '1640995200000000' })],
    ['bad_symbol', TRADES, trade({ 1: '' })],
    ['bad_symbol', TRADES, trade({ 1: 'BTC USDT' })],
    ['bad_symbol', TRADES, trade({ 1: '__proto__.x' })],
    ['unknown_symbol', TRADES, trade({ 1: 'QQQ' })],
    ['bad_number', TRADES, trade({ 2: '' })],
    ['bad_number', TRADES, trade({ 2: 'NaN' })],
    ['bad_number', TRADES, trade({ 2: 'Infinity' })],
    ['bad_number', TRADES, trade({ 2: '0x10' })],
    ['bad_number', TRADES, trade({ 2: '1e309' })],
    ['bad_number', TRADES, trade({ 2: '1e-400' })],
    ['bad_number', TRADES, trade({ 2: '1,000'.replace(',', ' ') })],
    ['too_many_digits', TRADES, trade({ 2: '100.12345678901234' })],
    ['not_positive', TRADES, trade({ 2: '-100' })],
    ['not_positive', TRADES, trade({ 3: '0' })],
    ['bad_side', TRADES, trade({ 4: 'BUY' })],
    ['bad_side', LIQUIDATIONS, `${T},LRCUSDT,long,0.17057,226`],
    ['not_positive', LIQUIDATIONS, `${T},LRCUSDT,sell,0,226`],
    ['ohlc_inconsistent', CANDLES, candle({ 3: '104' })],
    ['ohlc_inconsistent', CANDLES, candle({ 4: '101' })],
    ['not_positive', CANDLES, candle({ 5: '0' })],
    ['negative', CANDLES, candle({ 6: '-1' })],
    ['bad_number', FUNDING, `${T},BTCUSDT,1%`],
    ['off_scale', SENTIMENT, `${T},BTC,101,fear_greed_index:Greed`],
    ['off_scale', SENTIMENT, `${T},BTC,-2,tradingview:down`],
    ['too_short', SENTIMENT, `${T},BTC,1,:nobody said it`],
    ['too_long', SENTIMENT, `${T},BTC,1,tradingview:${'x'.repeat(5_000)}`],
    ['line_too_long', SENTIMENT, `${T},BTC,1,tradingview:${'x'.repeat(2_000_000)}`],
  ])('[FLW-2] refuses a row for %s, with its line, and reads on', async (rule, header, row) => {
    const good =
      header === SENTIMENT
        ? `${T},BTC,1,tradingview:up`
        : header === CANDLES
          ? candle({})
          : header === FUNDING
            ? `${T},BTCUSDT,0`
            : header === TRADES
              ? trade({})
              : `${T},LRCUSDT,sell,1,1`;
    const { bad, source, events } = await read(header, row, good);
    expect(bad.map((one) => [one.rule, one.line])).toEqual([[rule, 2]]);
    expect(source.refusedByReason).toEqual({ [rule]: 1 });
    expect(source.reports[0]).toMatchObject({
      rows: 2,
      refused: 1,
      repeats: 0,
      conflicts: 0,
      events: header === CANDLES ? 2 : 1,
    });
    expect(events.length).toBe(header === CANDLES ? 2 : 1);
  });

  it('publishes nothing of a candle of which only one event is refused', async () => {
    const last = 4_102_444_799_000;
    const { events, bad } = await read(CANDLES, `${last},BTCUSDT,100,110,90,105,3`);
    expect(events).toEqual([]);
    expect(bad).toHaveLength(1);
  });

  it('names the line in the file, empty lines and refused ones counted', async () => {
    const { bad } = await read(TRADES, '', trade({ 4: 'x' }), '', '', trade({}), trade({ 2: 'y' }));
    expect(bad.map(({ line }) => line)).toEqual([3, 7]);
  });

  it('keeps equal trades as separate facts, the same at every reading', async () => {
    const path = files.write('equal.csv', [TRADES, trade({}), trade({}), trade({ 3: '3' }), trade({})].join('\n'));
    const [once, again] = [await readAll([path]), await readAll([path])];
    expect(new Set(once.events.map(({ id }) => id)).size).toBe(4);
    expect(again.events.map(({ id }) => id)).toEqual(once.events.map(({ id }) => id));
    expect(once.source.reports[0]).toMatchObject({ rows: 4, events: 4, repeats: 0 });
  });

  it.each([
    ['candles', CANDLES, candle({}), candle({ 2: '100.0', 6: '3e0' }), candle({ 6: '4' })],
    ['funding', FUNDING, `${T},BTCUSDT,0.0001`, `${T},BTCUSDT,1e-4`, `${T},BTCUSDT,0.0002`],
    [
      'sentiment',
      SENTIMENT,
      `${T},BTC,0.5,tradingview:up`,
      `${T},BTC,0.50,"tradingview:up"`,
      `${T},BTC,0.6,tradingview:up`,
    ],
  ])(
    'collapses exact repeats of %s and reports other values for the same key',
    async (_kind, header, row, same, other) => {
      const { source, events, bad } = await read(header, row, row, same, other);
      const perRow = header === CANDLES ? 2 : 1;
      expect(events).toHaveLength(perRow);
      expect(source.reports[0]).toMatchObject({ rows: 4, events: perRow, repeats: 2, conflicts: 1, refused: 0 });
      expect(bad.map(({ rule, line }) => [rule, line])).toEqual([['conflict', 5]]);
    },
  );

  it('collapses repeated liquidations and keeps different ones of the same instant', async () => {
    const row = (size: number): string => `${T},LRCUSDT,sell,0.17057,${size}`;
    const { source } = await read(LIQUIDATIONS, row(1), row(2), row(1));
    expect(source.reports[0]).toMatchObject({ events: 2, repeats: 1, conflicts: 0 });
  });

  it('does not take a refused row for the first one of its key', async () => {
    const { source, events } = await read(CANDLES, candle({ 6: '-3' }), candle({}));
    expect(events).toHaveLength(2);
    expect(source.reports[0]).toMatchObject({ refused: 1, conflicts: 0 });
  });
});
