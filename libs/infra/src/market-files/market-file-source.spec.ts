import { instrumentForFeed, minuteQuoteVolume } from '@moon/domain';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { MarketFileSource } from './market-file-source';
import { isAccounted, isInOrder, readerWith, TestFiles } from './testing/read-files';

const readAll = readerWith(instrumentForFeed, minuteQuoteVolume);

const T = 1_640_995_200_000;
const MINUTE = 60_000;
const CANDLES = 'timestamp_ms,symbol,open,high,low,close,volume';
const TRADES = 'timestamp_ms,symbol,price,size,side';
const FUNDING = 'timestamp_ms,symbol,rate';
const SENTIMENT = 'timestamp_ms,symbol,score,text_or_source';

const candle = (minute: number, symbol = 'BTCUSDT', close = 100): string =>
  `${T + minute * MINUTE},${symbol},100,110,90,${close},3`;
const trade = (ms: number, price = 100, size = 2): string => `${T + ms},BTCUSDT,${price},${size},buy`;

describe('MarketFileSource', () => {
  const files = new TestFiles();
  afterAll(() => files.remove());
  const lines = (...rows: string[]): string => `${rows.join('\n')}\n`;
  let count = 0;
  const file = (...rows: string[]): string => files.write(`file-${(count += 1)}.csv`, lines(...rows));

  it('merges files in the order of time, and at one instant closes, funding, others, openings', async () => {
    const bars = file(CANDLES, candle(0), candle(0, 'ETHUSDT'), candle(1), candle(1, 'ETHUSDT'));
    const rates = file(FUNDING, `${T},BTCUSDT,0.0001`, `${T + MINUTE},BTCUSDT,0.0002`);
    const ticks = file(TRADES, trade(0), trade(MINUTE - 1), trade(MINUTE), trade(3 * MINUTE));
    const { events } = await readAll([ticks, rates, bars]);
    expect(events.map(({ type, key, occurredAt }) => `${(occurredAt - T) / MINUTE} ${type} ${key}`)).toEqual([
      ...['0 funding.update BTC', '0 price.tick BTC', '0 bar.opened BTC', '0 bar.opened ETH'],
      `${(MINUTE - 1) / MINUTE} price.tick BTC`,
      ...[
        '1 bar.closed BTC',
        '1 bar.closed ETH',
        '1 funding.update BTC',
        '1 price.tick BTC',
        '1 bar.opened BTC',
        '1 bar.opened ETH',
      ],
      ...['2 bar.closed BTC', '2 bar.closed ETH', '3 price.tick BTC'],
    ]);
  });

  it('does not depend on the order in which the files are given', async () => {
    const some = [
      file(CANDLES, candle(0), candle(1)),
      file(TRADES, trade(0), trade(0), trade(MINUTE)),
      file(FUNDING, `${T},BTCUSDT,0.0001`),
    ];
    const [one, other] = [await readAll(some), await readAll([...some].reverse())];
    expect(other.events).toEqual(one.events);
  });

  it('puts rows that are out of order into it, and says them with the same ids', async () => {
    const rows = [trade(5), trade(1), trade(5), trade(3, 101)];
    const mixed = await readAll([file(TRADES, ...rows)]);
    const sorted = await readAll([file(TRADES, trade(1), trade(3, 101), trade(5), trade(5))]);
    expect(mixed.source.facts[0]?.isSorted).toBe(false);
    expect(mixed.events).toEqual(sorted.events);
  });

  it('is not put out of order by a row whose stamp is refused', async () => {
    const { source, events } = await readAll([
      file(TRADES, trade(1), `9999999999999,BTCUSDT,1,1,buy`, `1640995200,BTCUSDT,1,1,buy`, trade(2)),
    ]);
    expect(source.facts[0]).toMatchObject({ isSorted: true, firstAt: T + 1, lastAt: T + 2, rows: 4 });
    expect(events).toHaveLength(2);
    expect(source.startsAt).toBe(T + 1);
  });

  it('counts the volume of a minute over the trades of all files, also those before the chosen range', async () => {
    const [one, other] = [
      file(TRADES, trade(0, 10, 1), trade(30_000, 10, 4)),
      file(TRADES, trade(20_000, 10, 2), trade(50_000, 10, 8)),
    ];
    const volumes = async (from?: number) =>
      (await readAll([one, other], from === undefined ? {} : { from })).events.map(
        ({ data }) => 'volume_1m' in data && data.volume_1m,
      );
    expect(await volumes()).toEqual([10, 30, 70, 150]);
    expect(await volumes(T + 30_000)).toEqual([70, 150]);
  });

  it('gives only events of the chosen range, its end left out', async () => {
    const path = file(CANDLES, ...[0, 1, 2, 3, 4].map((minute) => candle(minute)));
    const { events, source } = await readAll([path], { from: T + MINUTE, to: T + 3 * MINUTE });
    expect(events.map(({ type, occurredAt }) => `${(occurredAt - T) / MINUTE} ${type}`)).toEqual([
      ...['1 bar.closed', '1 bar.opened', '2 bar.closed', '2 bar.opened'],
    ]);
    expect(source.reports[0]).toMatchObject({ events: 4, outside: 1 });
    expect(source.startsAt).toBe(T + MINUTE);
    expect(await source.nextBatch()).toBeNull();
  });

  it('takes what two files have in common once, and reports where they differ', async () => {
    const one = file(CANDLES, candle(0), candle(1), candle(2));
    const other = file(CANDLES, candle(1), candle(2, 'BTCUSDT', 101), candle(3));
    const run = await readAll([one, other]);
    expect(run.events).toHaveLength(8);
    expect(run.source.reports).toMatchObject([
      { rows: 3, events: 6, repeats: 0, conflicts: 0 },
      { rows: 3, events: 2, repeats: 1, conflicts: 1 },
    ]);
    expect(run.bad).toMatchObject([{ rule: 'conflict', line: 3 }]);
    expect(isAccounted(run)).toBe(true);
  });

  it('takes a file that is given twice once', async () => {
    const some = [
      file(CANDLES, candle(0), candle(1)),
      file(TRADES, trade(0), trade(0), trade(1)),
      file(SENTIMENT, `${T},BTC,1,tradingview:up`),
    ];
    const [once, twice] = [await readAll(some), await readAll([...some, ...some])];
    expect(twice.events).toEqual(once.events);
    expect(twice.source.reports.slice(3)).toMatchObject([
      { events: 0, repeats: 2 },
      { events: 0, repeats: 3 },
      { events: 0, repeats: 1 },
    ]);
  });

  it('knows the instruments of its files, and passes over symbols whose rows are refused', async () => {
    const bars = file(CANDLES, candle(0), candle(0, 'ETHUSDT'), candle(0, 'NOTHING!'));
    const rates = file(FUNDING, `${T},SOLUSDT,0.0001`);
    const posts = file(SENTIMENT, `${T},BTC,1,tradingview:up`);
    const { source } = await readAll([bars, rates, posts]);
    expect(source.instruments).toEqual(['BTCUSDT.BINANCE-SPOT', 'ETHUSDT.BINANCE-SPOT', 'SOLUSDT.BINANCE-USDM']);
    expect(source.instrumentsOf('funding', 'sentiment')).toEqual(['SOLUSDT.BINANCE-USDM']);
  });

  it('reads gzip, Windows line ends, a byte order mark, and a last line without an end', async () => {
    const plain = await readAll([file(TRADES, trade(0), trade(1))]);
    const variants = [
      files.write('packed.csv.gz', lines(TRADES, trade(0), trade(1))),
      files.write('members.csv.gz', Buffer.concat([gzipSync(`${TRADES}\n${trade(0)}\n`), gzipSync(trade(1))])),
      files.write('windows.csv', `\ufeff${[TRADES, trade(0), trade(1)].join('\r\n')}`),
    ];
    for (const path of variants) expect((await readAll([path])).events).toEqual(plain.events);
  });

  it('reads lines and characters that lie across the pieces in which a file is unpacked', async () => {
    const posts = Array.from(
      { length: 4_000 },
      (_, index) => `${T + index},BTC,0.5,"tradingview:${'€'.repeat(index % 60)} ${index}"`,
    );
    const { events, source } = await readAll([files.write('long.csv.gz', lines(SENTIMENT, ...posts))]);
    expect(source.refusedByReason).toEqual({});
    expect(events.map(({ data }) => 'text' in data && data.text)).toEqual(
      posts.map((_, index) => `${'€'.repeat(index % 60)} ${index}`.trim()),
    );
  });

  it.each([
    ['is not there', () => 'nowhere.csv', /nowhere\.csv is not there/],
    ['is empty', () => files.write('empty.csv', ''), /empty\.csv is empty: a header line is expected/],
    ['has an unknown header', () => file('time,price', '1,2'), /starts with "time,price": no known header/],
    // What would steer a terminal is not printed.
    [
      'is no text',
      () => files.write('x.csv', Buffer.from([27, 91, 50, 74, 0, 255])),
      /starts with "·\[2J··": no known header/,
    ],
    [
      'is cut off',
      () =>
        files.write(
          'cut.csv.gz',
          gzipSync(lines(TRADES, ...Array.from({ length: 5_000 }, (_, ms) => trade(ms)))).subarray(0, 4_000),
        ),
      /cut\.csv\.gz cannot be read beyond line \d+: unexpected end of file/,
    ],
    [
      'is no gzip file',
      () => files.write('text.csv.gz', Buffer.from(lines(TRADES, trade(0)))),
      /text\.csv\.gz cannot be read beyond line 0: incorrect header check/,
    ],
  ])('says which file it is that %s', async (_what, make, message) => {
    await expect(readAll([make()])).rejects.toThrow(message);
  });

  it('reads a file that has a header and no rows', async () => {
    const { events, source } = await readAll([file(TRADES)]);
    expect(events).toEqual([]);
    expect([source.rows, source.startsAt, source.instruments]).toEqual([0, 0, []]);
  });

  it('is known by the contents of its files, their venue and the range, not by their names', async () => {
    const open = (path: string, from?: number, venue?: string) =>
      MarketFileSource.open({
        files: [{ path, venue }],
        resolve: () => ({ instrument: 'X', token: 'X', fundingIntervalHours: null }),
        minuteVolume: () => () => 0,
        headers: {},
        from,
      });
    const [one, same, other] = [file(TRADES, trade(0)), file(TRADES, trade(0)), file(TRADES, trade(1))];
    const { fingerprint } = await open(one);
    expect((await open(same)).fingerprint).toBe(fingerprint);
    expect((await open(other)).fingerprint).not.toBe(fingerprint);
    expect((await open(one, T)).fingerprint).not.toBe(fingerprint);
    const ofVenue = async (venue: string) => (await open(one, undefined, venue)).fingerprint;
    expect(await ofVenue('BINANCE-SPOT')).toBe(fingerprint);
    expect(await ofVenue('BINANCE-USDM')).not.toBe(fingerprint);
  });

  it('[FLW-2] keeps order and accounts for every row of any files, good and broken', async () => {
    const minute = fc.integer({ min: 0, max: 6 });
    const spoilt = fc.constantFrom('', 'nonsense', `${T},BTCUSDT,1`, `${T},"BTCUSDT,1,1,1,1,1`, ',,,,,,');
    const price = fc.constantFrom('100', '100.0', '101', '-1', 'x');
    const bar = fc
      .tuple(minute, fc.constantFrom('BTCUSDT', 'ETHUSDT', 'NOTHING'), price)
      .map(([at, symbol, open]) => `${T + at * MINUTE},${symbol},${open},110,90,100,3`);
    const tick = fc.tuple(fc.integer({ min: 0, max: 5 }), price).map(([ms, at]) => `${T + ms},BTCUSDT,${at},1,buy`);
    const rate = fc.tuple(minute, price).map(([at, value]) => `${T + at * MINUTE},BTCUSDT,${value}`);
    const rows = (row: fc.Arbitrary<string>): fc.Arbitrary<string[]> =>
      fc.array(fc.oneof({ weight: 8, arbitrary: row }, { weight: 1, arbitrary: spoilt }), { maxLength: 12 });
    const some = fc.tuple(fc.array(rows(bar), { maxLength: 2 }), fc.array(rows(tick), { maxLength: 2 }), rows(rate));
    await fc.assert(
      fc.asyncProperty(some, async ([bars, ticks, rates]) => {
        const given = [
          ...bars.map((one) => [CANDLES, ...one]),
          ...ticks.map((one) => [TRADES, ...one]),
          [FUNDING, ...rates],
        ];
        const run = await readAll(given.map((one, index) => files.write(`any-${index}.csv`, lines(...one))));
        expect(isInOrder(run.events)).toBe(true);
        expect(isAccounted(run)).toBe(true);
        expect(new Set(run.events.map(({ id }) => id)).size).toBe(run.events.length);
      }),
      { numRuns: 60 },
    );
  });
});
