import { readShared, readSharedCsv } from '../testing/shared-data';
import {
  annualReturn,
  calmar,
  compoundAnnualGrowth,
  downsideRisk,
  drawdownSeries,
  maxDrawdown,
  returnsOf,
  sharpe,
  sortino,
  totalReturn,
  volatility,
  yearsBetween,
  type Returns,
} from '.';

const read = (path: string) => JSON.parse(readShared(path)) as never;

/** The total returns are given rounded. */
const places = (value: number) => String(value).split('.')[1]?.length ?? 0;

describe('empyrical', () => {
  const { series, expected } = read('reference/metrics-empyrical.json') as {
    series: Record<string, (number | null)[]>;
    expected: Record<string, Record<string, number | string>>;
  };
  const PERIODS: Record<string, number> = { daily: 252, weekly: 52, monthly: 12 };
  const FIGURES: Record<string, (returns: Returns, periods: number) => number | null> = {
    max_drawdown: maxDrawdown,
    cum_return_final: totalReturn,
    annual_return: annualReturn,
    annual_volatility: volatility,
    calmar: (returns, periods) => calmar(annualReturn(returns, periods), maxDrawdown(returns)),
    sharpe,
    sortino,
    downside_risk: downsideRisk,
  };
  const cases = Object.entries(expected).flatMap(([name, figures]) =>
    Object.entries(figures).map(([figure, value]) => ({ name, figure, value })),
  );

  it.each(cases)('[US3-5] $figure of $name', ({ name, figure, value }) => {
    const [, stem = '', pace = 'daily'] = /^(.*?)(?:_(daily|weekly|monthly))?$/.exec(figure) ?? [];
    const got = FIGURES[stem]?.(series[name] ?? [], PERIODS[pace] ?? 0);
    // Its infinity is a division by no downside at all, which is undefined here.
    if (value === 'inf') expect(got).toBeNull();
    else expect(got).toBeCloseTo(value as number, stem === 'cum_return_final' ? places(value as number) : 8);
  });

  it('[US3-5] none of its figures is left out', () => {
    expect(cases).toHaveLength(24);
  });
});

describe('ffn', () => {
  const expected = read('reference/ffn-expected.json') as {
    first_10_rows: Record<string, Record<string, number>>;
    all_rows: { cagr: Record<string, number> };
    'year_frac_2004-03-10_to_2004-03-29': number;
  };
  const rows = readSharedCsv('reference/ffn-prices-AAPL-MSFT-C.csv');
  const stamps = rows.map(({ Date: date = '' }) => {
    const [month = 0, day = 0, year = 0] = date.split('/').map(Number);
    return Date.UTC(year, month - 1, day);
  });
  const pricesOf = (column: string, count = rows.length) => rows.slice(0, count).map((row) => Number(row[column]));
  const cagr = (column: string, count = rows.length) => {
    const prices = pricesOf(column, count);
    const total = (prices.at(-1) ?? 0) / (prices[0] ?? 0) - 1;
    return compoundAnnualGrowth(total, yearsBetween(stamps[0] ?? 0, stamps[count - 1] ?? 0));
  };
  const FIRST: Record<string, (column: string) => number | null | undefined> = {
    max_drawdown: (column) => maxDrawdown(returnsOf(pricesOf(column, 10))),
    cagr: (column) => cagr(column, 10),
    return_row_1: (column) => returnsOf(pricesOf(column))[0],
    return_row_9: (column) => returnsOf(pricesOf(column))[8],
    drawdown_row_9: (column) => drawdownSeries(pricesOf(column, 10))[9],
  };
  const cases = Object.entries(expected.first_10_rows).flatMap(([figure, columns]) =>
    Object.entries(columns).map(([column, value]) => ({ figure, column, value })),
  );

  it.each(cases)('[US3-5] $figure of $column over the first ten rows', ({ figure, column, value }) => {
    expect(FIRST[figure]?.(column)).toBeCloseTo(value, 3);
  });

  it.each(Object.entries(expected.all_rows.cagr))('[US3-5] annual growth of %s over all rows', (column, value) => {
    expect(cagr(column)).toBeCloseTo(value, 3);
  });

  it('[US3-5] years between two days', () => {
    const years = yearsBetween(Date.UTC(2004, 2, 10), Date.UTC(2004, 2, 29));
    expect(years).toBeCloseTo(expected['year_frac_2004-03-10_to_2004-03-29'], 3);
  });
});
