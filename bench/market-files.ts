import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { instrumentForFeed, minuteQuoteVolume } from '@moon/domain';
import { MarketFileSource, RowRefused, type MarketFileOptions } from '@moon/infra';
import { median, type BenchFigure } from './figure';

/**
 * Reading a year of one-minute bars from a file into inputs, two a bar, in recorded order: parsing, checks, merging; ids
 * are derived when looked at, and here nobody looks. Figures are CPU time of the whole process (also that of the threads
 * which unpack and collect garbage), because wall time tells of the neighbours as well. Baseline in the same run: a loop
 * that splits the same text and makes two bare objects a bar.
 */
const BARS = 525_600;
const REPEATS = 3;
const START = Date.UTC(2022, 0, 1);
const MINUTE = 60_000;

export async function run(): Promise<BenchFigure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'moon-bench-files-'));
  try {
    const text = candles();
    const [plain, packed, trades] = ['bars.csv', 'bars.csv.gz', 'trades.csv'].map((name) => join(folder, name)) as [
      ...[string, string, string],
    ];
    writeFileSync(plain, text);
    writeFileSync(packed, gzipSync(text));
    writeFileSync(trades, tradeRows());
    return await measure(plain, packed, trades);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(plain: string, packed: string, trades: string): Promise<BenchFigure[]> {
  const costs = new Map<string, number[]>();
  const bytes = readFileSync(plain);
  const note = (name: string, cost: number): void => void costs.set(name, [...(costs.get(name) ?? []), cost]);
  // The first round warms up.
  for (let repeat = 0; repeat <= REPEATS; repeat += 1) {
    const round = [
      ['loop', await costOf(() => Promise.resolve(loop(bytes)))] as const,
      ['plain', ...(await readCosts(plain))] as const,
      ['packed', ...(await readCosts(packed))] as const,
      ['ticks', ...(await readCosts(plain, { ticks: 'ohlc' }))] as const,
      ['trades', ...(await readCosts(trades))] as const,
      ['ids', ...(await readCosts(plain, {}, true))] as const,
    ];
    if (repeat === 0) continue;
    for (const [name, read, open] of round) {
      note(name, read);
      if (open !== undefined) note(`${name} survey`, open);
    }
  }
  const of = (name: string): number => median(costs.get(name) ?? []);
  const figure = (metric: string, name: string): BenchFigure => ({
    ...{ bench: 'market-files', metric, value: of(name), unit: 'µs/row' },
    ...{ baseline: of('loop'), ratio: of(name) / of('loop') },
  });
  return [
    figure('bars to inputs, plain file', 'plain'),
    figure('bars to inputs, gzip', 'packed'),
    figure('first pass: hash, order, symbols; plain', 'plain survey'),
    figure('first pass: hash, order, symbols; gzip', 'packed survey'),
    figure('bars to four ticks each, plain file', 'ticks'),
    figure('trades to ticks, plain file', 'trades'),
    figure('bars to inputs, every id looked at', 'ids'),
  ];
}

/** CPU time of reading and of the first pass, µs a row. */
async function readCosts(
  path: string,
  options: Partial<MarketFileOptions> = {},
  ids = false,
): Promise<[number, number]> {
  let source: MarketFileSource | undefined;
  const open = await costOf(async () => {
    source = await MarketFileSource.open({
      ...{ files: [{ path }], resolve, minuteVolume: minuteQuoteVolume, headers: { mode: 'recorded' }, ...options },
    });
  });
  const read = await costOf(async () => {
    let inputs = 0;
    for (let batch = await source!.nextBatch(); batch; batch = await source!.nextBatch()) {
      inputs += batch.length;
      if (ids) for (const event of batch) if (event.id === '') throw new Error('An id is empty.');
    }
    if (inputs < BARS) throw new Error(`${inputs} inputs came of ${BARS} rows.`);
  });
  return [read, open];
}

async function costOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / BARS;
}

let kept: object | undefined;

/** Splits the text and makes two bare objects a row. */
function loop(bytes: Buffer): object | undefined {
  const lines = bytes.toString('latin1').split('\n');
  for (let index = 1; index < lines.length - 1; index += 1) {
    const fields = lines[index]!.split(',');
    const at = Number(fields[0]);
    const open = Number(fields[2]);
    kept = { type: 'bar.opened', symbol: fields[1], at, open };
    kept = {
      type: 'bar.closed',
      symbol: fields[1],
      at: at + MINUTE,
      open,
      high: Number(fields[3]),
      low: Number(fields[4]),
      close: Number(fields[5]),
      volume: Number(fields[6]),
    };
  }
  return kept;
}

const resolve: MarketFileOptions['resolve'] = (venue, symbol) => {
  const found = instrumentForFeed(venue, symbol);
  if (!found) throw new RowRefused('unknown_symbol', `${symbol} is not known`);
  return { instrument: found.id, token: found.token, fundingIntervalHours: found.fundingIntervalHours };
};

/** Prices of two decimals, volumes of five, as exchanges write them; the same every time. */
function candles(): string {
  const random = lehmer(7);
  const rows = ['timestamp_ms,symbol,open,high,low,close,volume'];
  let price = 46_000;
  for (let bar = 0; bar < BARS; bar += 1) {
    const open = price;
    price = round(Math.max(15_000, open + (random() - 0.5) * 40), 2);
    const high = round(Math.max(open, price) + random() * 10, 2);
    const low = round(Math.min(open, price) - random() * 10, 2);
    rows.push(`${START + bar * MINUTE},BTCUSDT,${open},${high},${low},${price},${round(random() * 80, 5)}`);
  }
  return `${rows.join('\n')}\n`;
}

function tradeRows(): string {
  const random = lehmer(11);
  const rows = ['timestamp_ms,symbol,price,size,side'];
  let at = START;
  for (let trade = 0; trade < BARS; trade += 1) {
    if (random() < 0.6) at += Math.floor(random() * 60);
    const price = round(46_000 + random() * 10, 1);
    rows.push(`${at},BTCUSDT,${price},${round(0.001 + random(), 3)},${random() < 0.5 ? 'buy' : 'sell'}`);
  }
  return `${rows.join('\n')}\n`;
}

const round = (value: number, places: number): number => Number(value.toFixed(places));

/** Uniform numbers in [0, 1) that are the same every time: Lehmer's generator. */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
