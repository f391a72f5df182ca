import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DAY, days, origin, position, recording, START, trade } from './fixtures/recordings';
import { computeMetrics } from '.';

/** A run in which every series has a row. */
function fullResult() {
  const equities = Array.from({ length: 40 }, (_, index) => String(1000 + ((index * 7) % 11)));
  const entry = origin([{ agent: 'chart', share: 1 }]);
  const over = { trades: [trade({ grossPnl: '3', entry })], open: [position()] };
  const prices = equities.map((equity, index) => ({ day: START + index * DAY, close: 2000 - Number(equity) }));
  const benchmark = { instrument: 'BTCUSDT.BINANCE-SPOT', startPrice: 1000, days: prices };
  return computeMetrics(recording('1000', days(equities), over), { benchmark });
}

/** Paths of all fields that hold a value, `[]` for rows. */
function fieldsOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => fieldsOf(one, `${path}[]`));
  if (typeof value !== 'object' || value === null || path === 'undefinedBecause') return [path];
  return Object.entries(value).flatMap(([key, one]) => fieldsOf(one, path === '' ? key : `${path}.${key}`));
}

describe('docs/metrics.md', () => {
  it('[US3-5] describes every field of the result, once, and no other', () => {
    const page = readFileSync(resolve(__dirname, '../../../../docs/metrics.md'), 'utf8');
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    const described = rows.flatMap((row) =>
      [...(row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name),
    );
    const fields = [...new Set(fieldsOf(fullResult()))];
    expect(fields.length).toBeGreaterThan(100);
    expect([...described].sort()).toEqual(fields.sort());
    // Five bars make four columns: a bar inside a cell would push the rest out of the table.
    for (const row of rows) expect(row.replaceAll('\\|', '').split('|')).toHaveLength(6);
  });
});
