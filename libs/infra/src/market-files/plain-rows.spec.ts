import { instrumentForFeed, minuteQuoteVolume } from '@moon/domain';
import { inputId, validateEvent, type AnyEvent } from '@moon/events';
import fc from 'fast-check';
import { DecimalScanner } from './plain-fields';
import { readerWith, TestFiles, type ReadFiles } from './testing/read-files';

const readAll = readerWith(instrumentForFeed, minuteQuoteVolume);

const T = 1_640_995_200_000;
const CANDLES = 'timestamp_ms,symbol,open,high,low,close,volume';
const TRADES = 'timestamp_ms,symbol,price,size,side';

/** The same line with its symbol in quotes: the short way knows no quotes, so every such line goes the long way. */
function quoted(line: string): string {
  const [stamp, symbol, ...rest] = line.split(',');
  return symbol === undefined ? line : [stamp, `"${symbol}"`, ...rest].join(',');
}

/** Everything that a reading gives: events with their ids, what was refused and why, and the counts. */
const outcome = ({ source, events, bad }: ReadFiles) => ({
  events: events.map((event) => JSON.stringify(event)),
  bad: bad.map(({ line, rule, message }) => ({ line, rule, message })),
  reports: source.reports.map((report) => ({ ...report, file: '' })),
  facts: source.facts.map((facts) => ({ ...facts, path: '', sha256: '' })),
});

const digits = (min: number, max: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: min, maxLength: max });
/** Decimals as files have them, and also too long ones, with leading and trailing zeros, and broken ones. */
const decimal = fc.oneof(
  { weight: 12, arbitrary: fc.double({ min: 0.0001, max: 90_000, noNaN: true }).map((value) => value.toFixed(4)) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 99_999 }).map(String) },
  { weight: 2, arbitrary: fc.tuple(digits(1, 9), digits(1, 9)).map(([whole, places]) => `${whole}.${places}`) },
  { weight: 1, arbitrary: digits(0, 18) },
  { weight: 1, arbitrary: fc.constantFrom('', '0', '-1', '1e3', '1.', '.5', '1.5.2', ' 1', '1 ', '+1', '0x1', 'NaN') },
);
const stamp = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: 0, max: 8 }).map((minute) => String(T + minute * 60_000)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('1640995200', '4102444799000', '1262304000000', '9999999999999', '16409952000x0', ''),
  },
);
const symbol = fc.constantFrom('BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'BTCUSD', 'BTCUSDTX', '');
/** Prices that enclose one another more often than random ones would. */
const candle = fc.tuple(stamp, symbol, decimal, decimal, decimal, decimal, fc.boolean()).map((row) => {
  const [at, name, a, b, c, volume, isOrdered] = row;
  const [low, middle, high] = isOrdered ? [a, b, c].sort((x, y) => Number(x) - Number(y)) : [a, b, c];
  return [at, name, middle, high, low, middle, volume].join();
});
const trade = fc
  .tuple(stamp, symbol, fc.oneof(fc.constantFrom('100', '100.0', '101.5'), decimal), decimal)
  .chain(([at, name, price, size]) =>
    fc
      .constantFrom('buy', 'sell', 'buy', 'sell', 'BUY', 'sellx', '')
      .map((side) => [at, name, price, size, side].join()),
  );

describe('the short way of reading rows', () => {
  const files = new TestFiles();
  afterAll(() => files.remove());

  it.each([
    ['candles', CANDLES, candle, {}],
    ['candles as ticks', CANDLES, candle, { ticks: 'ohlc' as const }],
    ['trades', TRADES, trade, {}],
  ])(
    '[US3-1] [FLW-2] gives and refuses the same as the long way, whatever rows of %s it meets',
    async (_kind, header, row, options) => {
      const odd = fc.constantFrom('', 'nonsense', ',,,,,,', `${T}`, `${T},BTCUSDT,1`, `${T},BTCUSDT,1,1,1,1,1,1,1`);
      const rows = fc.array(fc.oneof({ weight: 12, arbitrary: row }, { weight: 1, arbitrary: odd }), { maxLength: 40 });
      await fc.assert(
        fc.asyncProperty(rows, fc.boolean(), async (some, isSorted) => {
          const given = isSorted ? [...some].sort() : some;
          const short = await readAll([files.write('rows.csv', [header, ...given, ''].join('\n'))], options);
          const long = await readAll([files.write('rows.csv', [header, ...given.map(quoted), ''].join('\n'))], options);
          expect(outcome(short)).toEqual(outcome(long));
        }),
        { numRuns: 150 },
      );
    },
  );

  it('[FLW-2] reads plain decimals as the numbers that JavaScript reads, or leaves them to the long way', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          decimal,
          fc.tuple(digits(1, 9), digits(1, 9)).map((parts) => parts.join('.')),
        ),
        (text) => {
          const scanner = new DecimalScanner();
          const value = scanner.next(Buffer.from(`${text},`), 0x2c);
          if (Number.isNaN(value)) expect(scanner.at).toBe(0);
          else expect([value, scanner.at]).toEqual([Number(text), text.length + 1]);
          const isPlain = /^\d+(\.\d+)?$/.test(text) && text.replace('.', '').length <= 15;
          expect(Number.isNaN(value)).toBe(!isPlain);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('reads lines that lie across the pieces in which a file is unpacked', async () => {
    const rows = Array.from(
      { length: 30_000 },
      (_, minute) => `${T + minute * 60_000},BTCUSDT,100,110,90,${100 + (minute % 10)},3`,
    );
    const { events, source } = await readAll([files.write('long.csv.gz', `${CANDLES}\n${rows.join('\n')}\n`)]);
    expect(source.reports[0]).toMatchObject({ rows: 30_000, events: 60_000, refused: 0 });
    const closes = events.flatMap((event) => (event.type === 'bar.closed' ? [event.data.close] : []));
    expect(closes).toEqual(rows.map((_, minute) => 100 + (minute % 10)));
  });

  it('says so when a file changes after it was looked at', async () => {
    const path = files.write('changing.csv', `${CANDLES}\n${T},BTCUSDT,1,1,1,1,1\n`);
    const opened = await readAll([path]);
    expect(opened.events).toHaveLength(2);
    const reading = readAll([path], {
      resolve: (venue, name) => {
        files.write('changing.csv', `${CANDLES}\n${T},BTCUSDT,2,2,2,2,2\n`);
        const found = instrumentForFeed(venue, name);
        return { instrument: found!.id, token: found!.token, fundingIntervalHours: null };
      },
    });
    // The second pass has the old bytes or the new ones; what it may not do is give the new ones under the old fingerprint.
    await reading.then(
      ({ events }) => expect(events.map((event) => 'open' in event.data && event.data.open)).toEqual([1, 1]),
      (error: Error) => expect(error.message).toMatch(/changing\.csv was changed while it was being read: start again/),
    );
  });
});

describe('an input of a file', () => {
  const files = new TestFiles();
  afterAll(() => files.remove());

  const events = async (): Promise<AnyEvent[]> =>
    (await readAll([files.write('two.csv', `${TRADES}\n${T},BTCUSDT,100,2,buy\n${T},BTCUSDT,100,2,buy\n`)])).events;

  it('[US3-1] has an id that is derived from its facts, the second of two equal trades another one', async () => {
    const identity = { source: 'BINANCE-SPOT', kind: 'price.tick', instrument: 'BTCUSDT.BINANCE-SPOT', venueTime: T };
    const expected = [0, 1].map((ordinal) => inputId({ ...identity, values: [100, 2, 'buy'], ordinal }));
    const read = await events();
    expect(read.map(({ id }) => id)).toEqual(expected);
    expect(read.map(({ correlationId }) => correlationId)).toEqual(expected);
  });

  it('is the same event after a way through JSON, and passes every boundary', async () => {
    const [event] = await events();
    const copy = JSON.parse(JSON.stringify(event)) as AnyEvent;
    expect(Object.keys(copy)).toEqual([
      ...[
        'id',
        'type',
        'schemaVersion',
        'source',
        'key',
        'occurredAt',
        'correlationId',
        'causationId',
        'data',
        'headers',
      ],
    ]);
    expect(copy.id).toBe(event?.id);
    expect(validateEvent(event)).toBe(event);
    expect(validateEvent(copy)).toEqual(copy);
  });

  it('has own fields for everything but its id, which a spread therefore lacks', async () => {
    const [event] = await events();
    expect(Object.keys({ ...event })).not.toContain('id');
    expect({ ...event, id: event?.id, correlationId: event?.id }).toEqual(JSON.parse(JSON.stringify(event)));
  });
});

describe('candles as ticks', () => {
  const files = new TestFiles();
  afterAll(() => files.remove());
  let count = 0;
  const read = (...rows: string[]) =>
    readAll([files.write(`ticks-${(count += 1)}.csv`, [CANDLES, ...rows, ''].join('\n'))], { ticks: 'ohlc' });
  const minute = (at: number, rest: string, name = 'BTCUSDT') => `${T + at * 60_000},${name},${rest}`;

  it('[US3-1] makes each candle four ticks, at open, high, low and close, a quarter of its length apart', async () => {
    const { events, source } = await read(minute(0, '100,110,90,105,3'), minute(1, '105,106,104,104.5,0'));
    expect(
      events.map(({ type, occurredAt, data }) => [type, (occurredAt - T) / 1_000, 'price' in data && data.price]),
    ).toEqual([
      ...[
        ['price.tick', 0, 100],
        ['price.tick', 15, 110],
        ['price.tick', 30, 90],
        ['price.tick', 45, 105],
      ],
      ...[
        ['price.tick', 60, 105],
        ['price.tick', 75, 106],
        ['price.tick', 90, 104],
        ['price.tick', 105, 104.5],
      ],
    ]);
    expect(events[0]?.data).toEqual({
      ...{ event_type: 'price.tick', token: 'BTC', instrument: 'BTCUSDT.BINANCE-SPOT', kind: 'last' },
      ...{ price: 100, volume_1m: 0, timestamp: T },
    });
    expect(new Set(events.map(({ id }) => id)).size).toBe(8);
    expect(source.reports[0]).toMatchObject({ rows: 2, events: 8 });
  });

  it('[US3-1] gives them the volume of the minute that has ended, never that of their own', async () => {
    const rows = [minute(0, '100,110,90,100,3'), minute(1, '100,100,100,100,5'), minute(3, '100,100,100,100,7')];
    const { events } = await read(...rows, minute(4, '100,100,100,100,1'));
    const volumes = events.map(({ data }) => 'volume_1m' in data && data.volume_1m);
    expect(volumes).toEqual([0, 0, 0, 0, 300, 300, 300, 300, 0, 0, 0, 0, 700, 700, 700, 700]);
  });

  it('keeps the order of time among candles of several symbols', async () => {
    const { events } = await read(minute(0, '1,1,1,1,1'), minute(0, '2,2,2,2,2', 'ETHUSDT'), minute(1, '3,3,3,3,3'));
    expect(events.map(({ key, occurredAt }) => `${key} ${(occurredAt - T) / 1_000}`)).toEqual([
      ...['BTC 0', 'ETH 0', 'BTC 15', 'ETH 15', 'BTC 30', 'ETH 30', 'BTC 45', 'ETH 45'],
      ...['BTC 60', 'BTC 75', 'BTC 90', 'BTC 105'],
    ]);
  });

  it('takes what two files have in common once, and reports a candle that differs once', async () => {
    const one = files.write('one.csv', [CANDLES, minute(0, '1,2,1,2,1'), minute(1, '2,3,2,3,1'), ''].join('\n'));
    const other = files.write('other.csv', [CANDLES, minute(0, '1,2,1,2,1'), minute(1, '2,4,2,3,1'), ''].join('\n'));
    const { events, source, bad } = await readAll([one, other], { ticks: 'ohlc' });
    expect(events).toHaveLength(8);
    expect(source.reports[1]).toMatchObject({ rows: 2, events: 0, repeats: 1, conflicts: 1 });
    expect(bad).toMatchObject([{ rule: 'conflict', line: 3 }]);
  });

  it('is another run than the same files as bars', async () => {
    const path = files.write('same.csv', `${CANDLES}\n${minute(0, '1,1,1,1,1')}\n`);
    const fingerprints = [await readAll([path]), await readAll([path], { ticks: 'ohlc' })].map(
      ({ source }) => source.fingerprint,
    );
    expect(new Set(fingerprints).size).toBe(2);
  });
});
