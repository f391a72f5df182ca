import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CommandLine } from '../../testing/command-line';
import type { ImportReport } from './import-report';

const T = Date.UTC(2024, 0, 1);
const MINUTE = 60_000;

const CANDLES = 'timestamp_ms,symbol,open,high,low,close,volume';
const candle = (minute: number, close = 100): string => `${T + minute * MINUTE},BTCUSDT,100,110,90,${close},5`;
const TRADES = 'timestamp_ms,symbol,price,size,side';
const FUNDING = 'timestamp_ms,symbol,rate';

/** One broken row of each kind among good ones; the number is the line in the file. */
const BROKEN = [
  CANDLES,
  candle(0),
  `${T + MINUTE},BTCUSDT,NaN,110,90,100,5`,
  candle(2),
  `${T + 3 * MINUTE},BTCUSDT,100,110,90`,
  `soon,BTCUSDT,100,110,90,100,5`,
  `${T / 1_000 + 240},BTCUSDT,100,110,90,100,5`,
  `${T + 5 * MINUTE},B?C,100,110,90,100,5`,
  `${T + 6 * MINUTE},BTCUSDT,100,95,90,100,5`,
  `${T + 7 * MINUTE},BTCUSDT,1e309,110,90,100,5`,
  `${T + 8 * MINUTE},BTCUSDT,100,110,90,100,-5`,
  `${T + 9 * MINUTE},BTCUSDT,100.00000000000001,110,90,100,5`,
  `${T + 10 * MINUTE},${'X'.repeat(5_000)},100,110,90,100,5`,
  `"${T + 11 * MINUTE}`,
  candle(12),
  candle(12),
  candle(12, 101),
];
const REFUSED_LINES = [3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];

describe('moon import', () => {
  let line: CommandLine;
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'moon-import-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => {
    line = new CommandLine();
  });
  afterEach(() => line.remove());

  const file = (name: string, rows: readonly string[]): string => {
    const path = join(folder, name);
    const text = `${rows.join('\n')}\n`;
    writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
    return path;
  };
  const eventsStored = async (
    ...filter: string[]
  ): Promise<{ id: string; seq: number; type: string; occurredAt: number; data: Record<string, unknown> }[]> => {
    const { out } = await line.moon(
      'events',
      '--run',
      'imported',
      '--from',
      '0',
      '--limit',
      '10000',
      '--json',
      ...filter,
    );
    return out.map((text) => JSON.parse(text) as never);
  };

  it('[FLW-2] counts every refused row by reason, names its line, and stores nothing of it', async () => {
    const path = file('broken.csv', BROKEN);
    const errors = join(folder, 'errors.txt');
    const report = await line.json<ImportReport>('import', path, '--errors', errors);
    expect(report).toMatchObject({
      rows: 16,
      used: 3,
      repeats: 1,
      conflicts: 1,
      refused: REFUSED_LINES.length,
      added: 6,
      run: 'imported',
    });
    expect(report.refusedByReason).toEqual({
      ...{ bad_number: 2, bad_symbol: 2, column_count: 1, bad_timestamp: 1, timestamp_unit: 1, bad_quotes: 1 },
      ...{ ohlc_inconsistent: 1, negative: 1, too_many_digits: 1 },
    });

    const written = readFileSync(errors, 'utf8').trimEnd().split('\n');
    expect(written).toEqual(report.firstErrors);
    const lines = written.map((text) => Number(/broken\.csv:(\d+) /.exec(text)?.[1]));
    expect([...lines].sort((a, b) => a - b)).toEqual([...REFUSED_LINES, 17]);
    expect(Math.max(...written.map((text) => text.length - folder.length))).toBeLessThan(300);

    const stored = await eventsStored();
    const minutes = stored.map(({ type, occurredAt }) => [type, (occurredAt - T) / MINUTE]);
    expect(minutes).toEqual([
      ['bar.opened', 0],
      ['bar.closed', 1],
      ['bar.opened', 2],
      ['bar.closed', 3],
      ['bar.opened', 12],
      ['bar.closed', 13],
    ]);
    expect(stored[5]!.data).toMatchObject({ close: 100, instrument: 'BTCUSDT.BINANCE-SPOT' });
  }, 60_000);

  it('adds nothing the second time, and says that it was all there', async () => {
    const candles = file('candles.csv.gz', [CANDLES, ...Array.from({ length: 2_000 }, (_, minute) => candle(minute))]);
    const trades = file('trades.csv', [TRADES, ...Array.from({ length: 50 }, () => `${T + 500},BTCUSDT,100,0.5,buy`)]);
    const first = await line.json<ImportReport>('import', candles, trades);
    expect(first).toMatchObject({ rows: 2_050, used: 2_050, events: 4_050, added: 4_050, alreadyThere: 0 });
    const second = await line.json<ImportReport>('import', trades, candles);
    expect(second).toMatchObject({ rows: 2_050, events: 4_050, added: 0, alreadyThere: 4_050, conflictingEvents: 0 });
    expect(await eventsStored()).toHaveLength(4_050);
    // Fifty equal trades are fifty facts (rule 3).
    expect(new Set((await eventsStored('--type', 'price.tick')).map(({ id }) => id)).size).toBe(50);
  }, 60_000);

  it('stores files in the one recorded order, whatever the order of their names', async () => {
    const candles = file('a-candles.csv', [CANDLES, candle(0), candle(1)]);
    const funding = file('z-funding.csv', [FUNDING, `${T + MINUTE},BTCUSDT,0.0001`]);
    const trades = file('m-trades.csv', [TRADES, `${T + MINUTE},BTCUSDT,100,0.5,buy`, `${T + 1},BTCUSDT,100,0.5,buy`]);
    const report = await line.json<ImportReport>('import', trades, funding, candles);
    expect(report).toMatchObject({ refused: 0, events: 7 });
    const order = (await eventsStored()).map(({ type, occurredAt, seq }) => `${seq} ${type} ${occurredAt - T}`);
    expect(order).toEqual([
      '1 bar.opened 0',
      '2 price.tick 1',
      '3 bar.closed 60000',
      '4 funding.update 60000',
      '5 price.tick 60000',
      '6 bar.opened 60000',
      '7 bar.closed 120000',
    ]);
  }, 60_000);

  it('takes up what an import that was cut off has left, and what a longer file has more', async () => {
    const rows = Array.from({ length: 300 }, (_, minute) => candle(minute));
    await line.moon('import', file('short.csv', [CANDLES, ...rows.slice(0, 100)]));
    const report = await line.json<ImportReport>('import', file('long.csv', [CANDLES, ...rows]));
    expect(report).toMatchObject({ events: 600, alreadyThere: 200, added: 400 });
  }, 60_000);

  it('reports a candle that contradicts a stored one, and keeps the stored one', async () => {
    await line.moon('import', file('one.csv', [CANDLES, candle(0), candle(1)]));
    const report = await line.json<ImportReport>(
      'import',
      file('other.csv', [CANDLES, candle(0), candle(1, 105), candle(2)]),
    );
    expect(report).toMatchObject({ added: 2, alreadyThere: 3, conflictingEvents: 1, conflicts: 0 });
    expect(report.firstErrors).toEqual([
      expect.stringMatching(/^conflict BTCUSDT\.BINANCE-SPOT bar\.closed at 2024-01-01T00:02:00\.000Z/),
    ]);
    const closes = (await eventsStored('--type', 'bar.closed')).map(({ data }) => data.close);
    expect(closes).toEqual([100, 100, 100]);
  }, 60_000);

  it('tries only with --dry-run: nothing is made, and what is there is known', async () => {
    const path = file('dry.csv', BROKEN);
    const { code, out } = await line.moon('import', path, '--dry-run');
    expect(code).toBe(0);
    expect(out[0]).toMatch(/^Tried only, nothing was stored/);
    expect(out.join('\n')).toMatch(/refused {2}bad_number 2, bad_symbol 2, column_count 1/);
    expect((await line.moon('runs')).err.join()).toMatch(/There are no data in/);

    await line.moon('import', file('part.csv', [CANDLES, candle(0)]));
    expect(await line.json('import', path, '--dry-run')).toMatchObject({
      dryRun: true,
      run: null,
      alreadyThere: 2,
      added: 4,
    });
    expect(await eventsStored()).toHaveLength(2);
  }, 60_000);

  it('keeps logs of other names apart', async () => {
    await line.moon('import', file('apart.csv', [CANDLES, candle(0)]), '--run', 'winter');
    const runs = await line.json<{ runId: string; mode: string; events: number }[]>('runs');
    expect(runs.map(({ runId, mode, events }) => [runId, mode, events])).toEqual([['winter', 'imported', 2]]);
    const refused = await line.moon('import', file('apart.csv', [CANDLES, candle(0)]), '--run', 'live');
    expect(refused).toMatchObject({ code: 1, err: [expect.stringMatching(/cannot be called "live"/)] });
  }, 60_000);

  it.each([
    ['a file that is not there', () => 'nowhere.csv', /is not there/],
    ['no header that is known', () => file('odd.csv', ['a,b,c', '1,2,3']), /no known header/],
    ['an empty file', () => file('empty.csv', []), /./],
    ['a gzip file that is cut off', () => cutOff(), /cannot be read beyond/],
  ])('fails with %s, and stores nothing of the others', async (_what, broken, message) => {
    const { code, err } = await line.moon('import', file('good.csv', [CANDLES, candle(0)]), broken());
    expect(code).toBe(1);
    expect(err).toHaveLength(1);
    expect(err[0]).toMatch(message);
    expect((await line.moon('runs')).err.join()).toMatch(/There are no data in/);
  });

  const cutOff = (): string => {
    const path = join(folder, 'cut.csv.gz');
    const whole = gzipSync(
      `${CANDLES}\n${Array.from({ length: 1_000 }, (_, minute) => candle(minute, 100 + (minute % 7))).join('\n')}`,
    );
    writeFileSync(path, whole.subarray(0, whole.length - 100));
    return path;
  };

  it('ends with 1 when no row can be used, and says why', async () => {
    const { code, out } = await line.moon('import', file('hopeless.csv', [CANDLES, 'x,BTCUSDT,1,1,1,1,1']));
    expect(code).toBe(1);
    expect(out.join('\n')).toMatch(/hopeless\.csv:2 bad_timestamp/);
  });

  it('knows venues by name and tells the nearest one', async () => {
    const path = file('btc.csv', [CANDLES, candle(0)]);
    expect(await line.json('import', path, '--venue', 'binance-usdm', '--dry-run')).toMatchObject({ refused: 0 });
    expect(await line.moon('import', path, '--venue', 'binance-usmd')).toMatchObject({
      code: 2,
      err: [expect.stringMatching(/Did you mean "BINANCE-USDM"/)],
    });
    expect(await line.json('import', `${path}@KRAKEN`, '--dry-run')).toMatchObject({ rows: 1 });
  });
});
