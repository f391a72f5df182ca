import { add, fromNumber, mul, sub } from '../money';
import { readShared, readSharedCandles } from '../testing/shared-data';
import { fold, funded, instrument, opening, SPOT } from './fixtures/portfolios';
import { decideFill, ledgerImbalance, valuation, type PortfolioState } from '.';

interface Reference {
  results: Record<
    'next_open' | 'signal_close',
    {
      fills: number;
      closed_trades: number;
      final_equity_float64: number;
      final_cash_decimal: string;
      fees_decimal: string;
      closed_pnl_net_decimal: string;
    }
  >;
}

/** Fills of the rule: 5·S20 − 2·S50 over closes in hundredths; a flip on every change of sign. */
function fillsOf(bars: ReturnType<typeof readSharedCandles>, at: 'next_open' | 'signal_close') {
  const closes = bars.map(({ close }) => Math.round(close * 100));
  const fills: { timestamp: number; side: 'buy' | 'sell'; quantity: string; price: number }[] = [];
  let [short, long, state] = [0, 0, 0];
  closes.forEach((close, index) => {
    short += close - (closes[index - 20] ?? 0);
    long += close - (closes[index - 50] ?? 0);
    const sign = index < 49 ? 0 : Math.sign(5 * short - 2 * long);
    if (sign === 0 || sign === state) return;
    const bar = at === 'next_open' ? bars[index + 1] : bars[index];
    if (state !== 0 && bar !== undefined) {
      const price = at === 'next_open' ? bar.open : bar.close;
      fills.push({
        timestamp: bar.openedAt,
        side: sign > 0 ? 'buy' : 'sell',
        quantity: fills.length === 0 ? '1' : '2',
        price,
      });
    }
    state = sign;
  });
  return fills;
}

describe('the ledger against a year of fills computed elsewhere', () => {
  const bars = readSharedCandles('candles/BTCUSDT-1m-2022.csv.gz');
  const reference = (JSON.parse(readShared('reference/sma-2022.json')) as Reference).results;

  it.each(['next_open', 'signal_close'] as const)(
    'SMA 20/50 on BTCUSDT 2022, fills at %s: the same cash, fees and profit to the last unit',
    (at) => {
      const expected = reference[at];
      const terms = instrument(SPOT);
      const base = funded(opening('cash-short-credit', SPOT), '1000000');
      const fills = fillsOf(bars, at);
      let net = '0';
      const end = fills.reduce<PortfolioState>((books, { timestamp, side, quantity, price }, index) => {
        const text = fromNumber(price);
        const fee = mul(mul(text, quantity), '0.0005');
        const fill = {
          order_id: '',
          fillId: String(index),
          token: 'BTC',
          instrument: SPOT,
          side,
          quantity,
          price: text,
          fee,
          feeAsset: 'USDT',
          timestamp,
        };
        const decision = decideFill(books, fill, terms);
        if (!('events' in decision) || decision.anomaly !== undefined) throw new Error(JSON.stringify(decision));
        for (const event of decision.events) {
          if (event.type === 'position.closed') net = addNet(net, event.data);
        }
        return fold(decision.events, books);
      }, base);

      expect(end.counters).toMatchObject({ fills: expected.fills, closedPositions: expected.closed_trades });
      expect(end.cash).toBe(expected.final_cash_decimal);
      expect(end.fees).toBe(expected.fees_decimal);
      expect(net).toBe(expected.closed_pnl_net_decimal);
      expect(ledgerImbalance(end)).toBe('0');
      const last = bars.at(-1);
      const value = valuation(end, { [SPOT]: last?.close ?? 0 }, last?.openedAt ?? 0, null);
      expect(value.equity).toBeCloseTo(expected.final_equity_float64, 6);
    },
  );
});

function addNet(total: string, closed: { realisedPnl: string; fees: string }): string {
  return add(total, sub(closed.realisedPnl, closed.fees));
}
