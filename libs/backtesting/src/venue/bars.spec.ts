import { bench, brief, margin, PERP, SPOT } from '../testing/engine-bench';
import { barClosed, barOpened, tick } from '../testing/venue-desk';
import type { PartialVenueConfig } from '.';

/** Open 40,000, high 41,000, low 39,000, close 40,700: within reach of everything below. */
const WIDE = [40_000, 41_000, 39_000, 40_700] as const;

/** Given a long of 1 with a stop, a take-profit and a limit order to sell / when the wide bar comes / then … */
function insideOf(config: PartialVenueConfig, bar: readonly [number, number, number, number] = WIDE): string[] {
  const { engine, submit } = bench(config, margin({ deposit: '100000' }));
  engine.market(barOpened(PERP, 0, 40_000));
  submit(PERP, 'buy', '1');
  submit(PERP, 'sell', '1', { orderType: 'LIMIT', limitPrice: '40800', reduceOnly: true });
  submit(PERP, 'sell', '1', { orderType: 'TAKE_PROFIT', stopPrice: '40500', reduceOnly: true });
  submit(PERP, 'sell', '1', { orderType: 'STOP', stopPrice: '39500', reduceOnly: true });
  return brief(engine.market(barClosed(PERP, 0, bar)));
}

describe('a stop, a take-profit and a limit order that one bar reaches', () => {
  it('adverse: the stop comes first, and nothing is left for the others', () => {
    expect(insideOf({})[0]).toBe('taker 1@39500');
    expect(insideOf({}).filter((line) => line.startsWith('taker') || line.startsWith('maker'))).toHaveLength(1);
  });

  it.each([
    // Close above open: open – low – high – close.
    ['direction', WIDE, 'taker 1@39500'],
    ['direction', [40_000, 41_000, 39_000, 39_900], 'taker 1@40500'],
    // The high is 500 away, the low 1,000.
    ['nearest', [40_000, 40_600, 39_000, 40_000], 'taker 1@40500'],
    ['nearest', [40_000, 41_000, 39_500, 40_000], 'taker 1@39500'],
    ['high-first', WIDE, 'taker 1@40500'],
    ['low-first', WIDE, 'taker 1@39500'],
  ] as const)('%s over %j: first %s', (barPath, bar, expected) => {
    expect(insideOf({ barPath }, bar)[0]).toBe(expected);
  });

  it('takes what is nearer on the way first, and orders that another one has made', () => {
    const { engine, submit } = bench({ barPath: 'low-first' });
    engine.market(barOpened(SPOT, 0, 40_000));
    submit(SPOT, 'buy', '1', { orderType: 'LIMIT', limitPrice: '39200' });
    submit(SPOT, 'buy', '2', { orderType: 'LIMIT', limitPrice: '39800' });
    submit(SPOT, 'sell', '3', { orderType: 'STOP', stopPrice: '39500' });
    expect(brief(engine.market(barClosed(SPOT, 0, WIDE)))).toEqual(['maker 2@39800', 'taker 3@39500', 'maker 1@39200']);
  });

  it('fills a stop at the open that is beyond it, and a take-profit at the open that is better', () => {
    for (const barPath of ['adverse', 'low-first'] as const) {
      const { engine, submit } = bench({ barPath }, margin({ deposit: '100000' }));
      engine.market(barOpened(PERP, 0, 40_000));
      submit(PERP, 'buy', '2');
      submit(PERP, 'sell', '1', { orderType: 'STOP', stopPrice: '39500', reduceOnly: true });
      // A bar whose opening was not seen gaps over both.
      expect(brief(engine.market(barClosed(PERP, 1, [39_000, 39_100, 38_900, 39_050])))).toEqual(['taker 1@39000']);
      submit(PERP, 'sell', '1', { orderType: 'TAKE_PROFIT', stopPrice: '39500', reduceOnly: true, sentAt: 120_000 });
      expect(brief(engine.market(barClosed(PERP, 2, [39_900, 39_950, 39_800, 39_850])))).toEqual(['taker 1@39900']);
    }
  });
});

describe('a gap in the bars', () => {
  it('fills nothing: an order that comes in it waits for the first price after it, and is filled at that', () => {
    const { engine, submit } = bench();
    engine.market(barOpened(SPOT, 0, 40_000));
    engine.market(barClosed(SPOT, 0, [40_000, 40_000, 40_000, 40_000]));
    expect(brief(submit(SPOT, 'buy', '1', { sentAt: 60_000 }))).toEqual(['accepted', 'taker 1@40000']);
    // Two hours later the market has said nothing since.
    expect(brief(submit(SPOT, 'buy', '2', { sentAt: 7_200_000 }))).toEqual(['accepted']);
    expect(brief(engine.market(barOpened(SPOT, 150, 41_234)))).toEqual(['taker 2@41234']);
  });

  it('triggers a stop at the first price after it, and fills a limit that it passed at its limit', () => {
    const { engine, submit } = bench();
    engine.market(barOpened(SPOT, 0, 40_000));
    submit(SPOT, 'sell', '1', { orderType: 'STOP', stopPrice: '39500' });
    submit(SPOT, 'buy', '1', { orderType: 'LIMIT', limitPrice: '39000' });
    engine.market(barClosed(SPOT, 0, [40_000, 40_000, 39_900, 39_950]));
    expect(brief(engine.market(barOpened(SPOT, 284, 37_000)))).toEqual(['taker 1@37000', 'maker 1@39000']);
  });

  it('takes the bound that it is told', () => {
    const { engine, submit } = bench({ staleAfterMs: 1_000 });
    engine.market(tick(SPOT, 0, 40_000));
    expect(brief(submit(SPOT, 'buy', '1', { sentAt: 1_000 }))).toEqual(['accepted', 'taker 1@40000']);
    expect(brief(submit(SPOT, 'buy', '1', { sentAt: 1_001 }))).toEqual(['accepted']);
  });
});

describe('imperfect bars', () => {
  it('fills nothing in a bar without volume where the share is limited, and goes by its prices', () => {
    const { engine, submit } = bench({ liquidity: { participation: 0.5 } });
    engine.market(barClosed(SPOT, 0, [40_000, 40_000, 40_000, 40_000], 0));
    submit(SPOT, 'buy', '1', { orderType: 'LIMIT', limitPrice: '39000', sentAt: 60_000 });
    expect(brief(engine.market(barClosed(SPOT, 1, [38_000, 38_000, 38_000, 38_000], 0)))).toEqual([]);
    expect(engine.state().markets[SPOT]?.last).toBe(38_000);
    expect(brief(engine.market(barClosed(SPOT, 2, [38_000, 38_000, 38_000, 38_000], 4)))).toEqual(['maker 1@39000']);
  });

  it('takes the same bar once: its volume does not fill twice', () => {
    const { engine, submit } = bench({ liquidity: { participation: 0.1 } });
    engine.market(barOpened(SPOT, 0, 40_000));
    submit(SPOT, 'buy', '5', { orderType: 'LIMIT', limitPrice: '39000' });
    const bar = barClosed(SPOT, 0, [40_000, 40_000, 38_000, 38_500], 20);
    expect(brief(engine.market(bar))).toEqual(['maker 2@39000']);
    expect(engine.market(bar)).toEqual([]);
    expect(engine.market(barClosed(SPOT, 0, [40_000, 40_000, 37_000, 37_500], 20))).toEqual([]);
    expect(engine.state().markets[SPOT]?.last).toBe(38_500);
  });
});
