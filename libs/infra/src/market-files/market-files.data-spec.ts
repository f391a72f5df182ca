import { instrumentForFeed, minuteQuoteVolume } from '@moon/domain';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve as resolvePath } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { AnyEvent } from '@moon/events';
import { isAccounted, isInOrder, readerWith } from './testing/read-files';

const readAll = readerWith(instrumentForFeed, minuteQuoteVolume);

const SHARED = process.env.MOON_SHARED ?? resolvePath(__dirname, '../../../../../shared');
const KINDS = ['candles', 'trades', 'funding', 'liquidations', 'sentiment'];

function filesOf(kind: string): string[] {
  const folder = join(SHARED, 'data', kind);
  if (!existsSync(folder)) throw new Error(`${folder} is missing: set MOON_SHARED to the folder that holds data/.`);
  return readdirSync(folder).map((name) => join(folder, name));
}

/** Rows of a file, counted without the code under test. */
function rowsOf(path: string): string[] {
  return gunzipSync(readFileSync(path)).toString('utf8').trimEnd().split('\n').slice(1);
}

const FILES = KINDS.flatMap((kind) => filesOf(kind).map((path) => [kind, basename(path), path] as const));

/** Rows with numbers that a recorder's arithmetic has blown up to 17 digits: beyond 15 nothing foreign is taken. */
const REFUSED: Readonly<Record<string, { line: number; rule: string }[]>> = {
  'BTC-PERP-1m-202201.csv.gz': [249, 250, 17_527, 17_528, 17_529, 17_530].map((line) => ({
    line,
    rule: 'too_many_digits',
  })),
  'XRP-20211118-20211217.csv.gz': [{ line: 51, rule: 'too_many_digits' }],
};

/**
 * SHA-256 (its first 24 digits) over the JSON lines of all events of a file, ids included: taken when every row was read by the CSV
 * parser, every event checked against its schema and every id derived at once.
 */
const EVENTS: Readonly<Record<string, string>> = {
  'BTC-ETH-1m-20210419-20210531-crash.csv.gz': 'e0971bde64aa5a8d8308fb32',
  'BTC-ETH-1m-20230102-20230108-calm.csv.gz': '9791e6f585adfbbc7d50a975',
  'BTC-ETH-1m-20240808.csv.gz': '5b65779004be384b93d38dce',
  'BTC-ETH-1m-20250126-20250206.csv.gz': '27322ee67d77a2989e348817',
  'BTC-ETH-1m-20250618-20250624.csv.gz': '5eb31f34de2075b87fd6ee05',
  'BTC-ETH-1m-20260601-20260615.csv.gz': 'ddd661994e65a43b68c416d3',
  'BTC-PERP-1m-202201.csv.gz': 'dc79af19ca6ec42eac2efd1b',
  'BTCUSDT-1m-2022.csv.gz': '43352c38fcc89ebb1063aa9d',
  'ETHUSDT-1m-2022.csv.gz': 'cd8631929ae5fdefc2df3b99',
  'SOL-BTC-ETH-1m-perp-202505.csv.gz': '4bdbce3741fd2bd44bf9f291',
  'ETHUSDT-20230202-0920.csv.gz': '890d39d2d3e02803983da2c5',
  'binance-coinm-BTC-ETH-20240808-2354.csv.gz': 'b2ec2386ccdfe4a45ffff05b',
  'binance-spot-BTC-ETH-20240808-2354.csv.gz': 'bee9e0bdd073f7e459aefd42',
  'binance-usdm-BTC-ETH-20240808-2354.csv.gz': '8184d73e377551835afe81dd',
  'binance-usdm-large-aggtrades-20250126-20250206.csv.gz': '012351f9aff80f4f70b1620a',
  'hyperliquid-20230227-20230427.csv.gz': 'f5b76b5bc7fe53e4a775648c',
  'kraken-XBTUSDT-20251110.csv.gz': 'f676334392d08d00d4c244cf',
  'BTC-ETH-SOL-20250306-20250615.csv.gz': 'b390c66a505acc27221cbad2',
  'XRP-20211118-20211217.csv.gz': '4e0c5bb4baaf7ef8e7be4f8a',
  'binance-20250126-20250206-as-recorded.csv.gz': 'e3580db582239e8d8af3bb44',
  'binance-20250126-20250206.csv.gz': 'e3580db582239e8d8af3bb44',
  'binance-20250618-20250624.csv.gz': '94155115d7ad589bef8954af',
  'fear-greed-2018-2022.csv.gz': '40e8954eb27b7db32c6ed655',
  'reddit-stocktwits-daily-2014-20210509.csv.gz': '0a67fb1087837c8b939441d9',
  'tradingview-ideas-20260601-20260615.csv.gz': '6090d22ccabd33193ef2be88',
};

function digestOf(events: readonly AnyEvent[]): string {
  const hash = createHash('sha256');
  for (const event of events) hash.update(`${JSON.stringify(event)}\n`);
  return hash.digest('hex').slice(0, 24);
}

describe('the recorded market data', () => {
  it('has every kind of file', () => {
    expect(new Set(FILES.map(([kind]) => kind)).size).toBe(KINDS.length);
    expect(FILES.length).toBeGreaterThanOrEqual(25);
  });

  it.each(FILES)(
    '[FLW-2] reads %s/%s whole: every row is an event (a candle two), a repeat, a conflict or refused',
    async (kind, name, path) => {
      const rows = rowsOf(path);
      const run = await readAll([path]);
      const [report] = run.source.reports;
      expect(report?.rows).toBe(rows.length);
      expect(isAccounted(run)).toBe(true);
      expect(isInOrder(run.events)).toBe(true);
      const refused = REFUSED[name] ?? [];
      expect(run.bad.map(({ line, rule }) => ({ line, rule }))).toEqual(refused);
      // Only one recording has repeats; trades may be equal without being one.
      const repeats = kind === 'trades' ? 0 : rows.length - new Set(rows).size;
      const events = (rows.length - repeats - refused.length) * (kind === 'candles' ? 2 : 1);
      expect(report).toMatchObject({ events, repeats, conflicts: 0, refused: refused.length });
      const ids = new Set(run.events.map(({ id }) => id));
      expect(ids.size).toBe(run.events.length);
      expect(digestOf(run.events)).toBe(EVENTS[name]);
    },
  );

  it('collapses the liquidations that the recorder stored twice into those of the cleaned file', async () => {
    const path = (name: string): string => join(SHARED, 'data/liquidations', name);
    const recorded = await readAll([path('binance-20250126-20250206-as-recorded.csv.gz')]);
    const cleaned = await readAll([path('binance-20250126-20250206.csv.gz')]);
    expect(recorded.source.reports[0]).toMatchObject({ rows: 3_510, events: 1_837, repeats: 1_673 });
    expect(recorded.events.map(({ id }) => id).sort()).toEqual(cleaned.events.map(({ id }) => id).sort());
    const both = await readAll([
      path('binance-20250126-20250206-as-recorded.csv.gz'),
      path('binance-20250126-20250206.csv.gz'),
    ]);
    expect(both.events).toHaveLength(1_837);
    expect(isAccounted(both)).toBe(true);
  });

  it('merges candles, trades, funding, liquidations and sentiment into one order', async () => {
    const names = [
      ...['candles/BTC-ETH-1m-20250126-20250206.csv.gz', 'candles/SOL-BTC-ETH-1m-perp-202505.csv.gz'],
      ...[
        'trades/binance-usdm-large-aggtrades-20250126-20250206.csv.gz',
        'liquidations/binance-20250126-20250206.csv.gz',
      ],
      ...['funding/BTC-ETH-SOL-20250306-20250615.csv.gz', 'sentiment/tradingview-ideas-20260601-20260615.csv.gz'],
    ];
    const run = await readAll(names.map((name) => join(SHARED, 'data', name)));
    expect(isInOrder(run.events)).toBe(true);
    expect(isAccounted(run)).toBe(true);
    expect(run.source.refusedByReason).toEqual({});
    const types = new Set(run.events.map(({ type }: AnyEvent) => type));
    expect([...types].sort()).toEqual([
      'bar.closed',
      'bar.opened',
      'funding.update',
      'market.liquidation',
      'market.sentiment',
      'price.tick',
    ]);
  });

  it('gives the spot trades of a minute the volume that the candles of another source have for it', async () => {
    const trades = await readAll([join(SHARED, 'data/trades/binance-spot-BTC-ETH-20240808-2354.csv.gz')]);
    const candles = await readAll([join(SHARED, 'data/candles/BTC-ETH-1m-20240808.csv.gz')]);
    const minute = Date.UTC(2024, 7, 8, 23, 57);
    const bar = candles.events.find(
      ({ type, key, occurredAt }) => type === 'bar.closed' && key === 'BTC' && occurredAt === minute + 60_000,
    );
    const ticks = trades.events.filter(
      ({ key, occurredAt }) => key === 'BTC' && occurredAt >= minute && occurredAt < minute + 60_000,
    );
    const sizes = ticks.map(({ data }) => ('size' in data ? Number(data.size) : 0));
    const data = bar?.data as { volume: number; high: number };
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeCloseTo(data.volume, 6);
    expect(Math.max(...ticks.map((tick) => ('price' in tick.data ? Number(tick.data.price) : 0)))).toBe(data.high);
  });

  it('puts the volume of the source that counts it in dollars into base asset, near that of other venues', async () => {
    const run = await readAll([join(SHARED, 'data/candles/BTC-PERP-1m-202201.csv.gz')], {
      to: Date.UTC(2022, 0, 1, 1),
    });
    const bars = run.events.filter((event) => event.type === 'bar.closed');
    expect(bars[0]?.data).toMatchObject({ openedAt: 1_640_991_600_000, timestamp: 1_640_991_660_000 });
    for (const { data } of bars) expect('volume' in data && data.volume).toBeLessThan(2_000);
  });
});
