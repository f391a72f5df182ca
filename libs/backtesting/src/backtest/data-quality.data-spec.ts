import { join, resolve as resolvePath } from 'node:path';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { bench, brief, SPOT } from '../testing/engine-bench';
import { marketEvent, T0 } from '../testing/venue-desk';
import { createDataQuality } from './data-quality';

const SHARED = process.env.MOON_SHARED ?? resolvePath(__dirname, '../../../../../shared');
const FILE = join(SHARED, 'data/candles/BTC-ETH-1m-20210419-20210531-crash.csv.gz');
const MINUTE = 60_000;

interface Row {
  at: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

/** The file's bars of BTC, read without the reader under test. */
const bars = (): Row[] =>
  gunzipSync(readFileSync(FILE))
    .toString('utf8')
    .split('\n')
    .filter((line) => line.includes(',BTCUSDT,'))
    .map((line) => {
      const [at = 0, , open = 0, high = 0, low = 0, close = 0, volume = 0] = line.split(',').map(Number);
      return { at, open, high, low, close, volume };
    });

const common = (openedAt: number, open: number) => ({
  ...{ token: 'BTC', instrument: SPOT, intervalMs: MINUTE, open, timestamp: openedAt },
});
const opened = ({ at, open }: Row) => marketEvent('bar.opened', at, common(at, open));
const closed = ({ at, open, high, low, close, volume }: Row) =>
  marketEvent('bar.closed', at + MINUTE, {
    ...common(at, open),
    ...{ high, low, close, volume, openedAt: at, timestamp: at + MINUTE },
  });

describe('the exchange outages of April 2021', () => {
  it('are listed with their times and lengths', () => {
    const quality = createDataQuality();
    for (const row of bars()) quality.observe(closed(row));
    const [lane] = quality.report().instruments;
    expect(lane).toMatchObject({ instrument: SPOT, kind: 'bars', gapCount: 2, missingRows: 434 });
    expect(lane?.gaps.map(({ missing }) => missing)).toEqual([150, 284]);
    const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
    expect(lane?.gaps.map(({ from }) => iso(from))).toEqual(['2021-04-20', '2021-04-25']);
  });

  it('fill nothing: an order sent in one is filled at the first price after it', () => {
    const rows = bars();
    const end = rows.findIndex((row, index) => row.at - (rows[index - 1]?.at ?? row.at) > 200 * MINUTE);
    const [before, after] = [rows[end - 1] as Row, rows[end] as Row];
    const { engine, submit } = bench();
    for (const row of rows.slice(end - 100, end)) {
      engine.market(opened(row));
      engine.market(closed(row));
    }
    const sentAt = before.at + 60 * MINUTE - T0;
    expect(brief(submit(SPOT, 'buy', '1', { sentAt }))).toEqual(['accepted']);
    const stop = { orderType: 'STOP', stopPrice: (before.close * 2).toFixed(2), sentAt } as const;
    submit(SPOT, 'buy', '1', stop);
    expect(brief(engine.market(opened(after)))).toEqual([`taker 1@${after.open}`]);
  });
});
