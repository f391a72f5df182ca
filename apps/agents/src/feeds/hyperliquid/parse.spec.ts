import fc from 'fast-check';
import { bboMessage, contextMessage, META, rawCandles, rawTrade, tradesMessage } from '../testing/samples';
import { MessageRefused } from './fields';
import { parseMessage, type VenueMessage } from './parse';
import { parseCandles, parseFundingHistory, parseRecentTrades, parseTerms } from './parse-info';

const NOW = 1_737_918_847_000;

/** The message, and the reasons for which parts of it were refused. */
function read(content: unknown): { message: VenueMessage; parts: string[] } {
  const parts: string[] = [];
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return { message: parseMessage(text, (error) => parts.push(error.reason)), parts };
}

/** The reason for which a whole message is refused. */
function reasonOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof MessageRefused) return error.reason;
    throw error;
  }
  return 'not refused';
}

describe('parseMessage', () => {
  it('reads a trade: the aggressor’s side, price and size from text, the venue’s own id', () => {
    const trade = rawTrade(NOW, { side: 'A', tid: 181211126211835 });
    expect(read(tradesMessage(trade)).message).toEqual({
      kind: 'trades',
      trades: [{ coin: 'BTC', time: NOW, price: 105056, size: 0.00219, side: 'sell', tid: 181211126211835 }],
    });
  });

  it('reads best prices from bbo and from the top of l2Book, null for an empty side', () => {
    expect(read(bboMessage(NOW, '105055.0', null)).message).toEqual({
      kind: 'book',
      book: { coin: 'BTC', time: NOW, bid: 105055, ask: null },
    });
    const level = (px: string): object => ({ px, sz: '0.5', n: 1 });
    const levels = [
      [level('105055.0'), level('105054.0')],
      [level('105056.0'), level('105060.0')],
    ];
    const book = { coin: 'BTC', time: NOW, bid: 105055, ask: 105056 };
    expect(read({ channel: 'l2Book', data: { coin: 'BTC', time: NOW, levels } }).message).toEqual({
      kind: 'book',
      book,
    });
  });

  it('reads reference prices and the accruing rate, and does without the fields that a thin book leaves null', () => {
    const sample = contextMessage({ midPx: null, premium: null, impactPxs: null, dayBaseVlm: undefined });
    const context = { coin: 'BTC', mark: 105052, oracle: 105040, funding: 0.0000125 };
    expect(read(sample).message).toEqual({ kind: 'context', context });
  });

  it('understands the greeting in plain text, heartbeats, and an echo with more keys than were sent', () => {
    expect(read('Websocket connection established.').message.kind).toBe('greeting');
    expect(read('{"channel":"pong"}').message.kind).toBe('pong');
    const subscription = { type: 'l2Book', coin: 'BTC', nSigFigs: null, mantissa: null };
    const echo = { channel: 'subscriptionResponse', data: { method: 'subscribe', subscription } };
    expect(read(echo).message).toEqual({ kind: 'subscribed', subscription: 'l2Book BTC' });
  });

  it.each([
    ['json', 'nonsense'],
    ['json', '{"channel":"trades","data":['],
    ['json', ''],
    ['shape', '17'],
    ['shape', 'null'],
    ['shape', '[]'],
    ['shape', { channel: 'trades', data: 'none' }],
    ['shape', { channel: 'bbo', data: { coin: 'BTC', time: NOW, bbo: [null] } }],
    ['shape', { channel: 'l2Book', data: { coin: 'BTC', time: NOW, levels: [] } }],
    ['shape', { channel: 'activeAssetCtx', data: { coin: 'BTC' } }],
    ['unknown_channel', { channel: 'allMids', data: { mids: {} } }],
    ['unknown_channel', { data: {} }],
    ['venue_error', { channel: 'error', data: 'Invalid subscription {"type":"trades","coin":"NONE"}' }],
    ['crossed_book', bboMessage(NOW, '105056.0', '105055.0')],
    ['crossed_book', bboMessage(NOW, '105056.0', '105056.0')],
    ['number', bboMessage(NOW, 'high', null)],
    ['time', bboMessage(1_737_918_847, '105056.0', null)],
    ['not_positive', contextMessage({ markPx: '0.0' })],
    ['number', contextMessage({ funding: 0.0000125 })],
    ['number', contextMessage({ oraclePx: null })],
  ])('[FLW-2] refuses a message for %s: %j', (reason, content) => {
    expect(reasonOf(() => read(content))).toBe(reason);
  });

  it.each([
    ['number', { px: 105056 }],
    ['number', { px: 'NaN' }],
    ['number', { px: '1e309' }],
    ['number', { sz: 'Infinity' }],
    ['number', { sz: undefined }],
    ['digits', { px: '105056.00000000001' }],
    ['not_positive', { sz: '-0.5' }],
    ['not_positive', { px: '0' }],
    ['side', { side: 'buy' }],
    ['side', { side: null }],
    ['time', { time: 1_737_918_847 }],
    ['time', { time: 1_737_918_847_000_000 }],
    ['time', { time: '1737918847000' }],
    ['shape', { tid: '17' }],
    ['shape', { tid: 2 ** 60 }],
    ['shape', { coin: '' }],
    ['shape', { coin: 'B'.repeat(1_000_000) }],
  ])('[FLW-2] refuses one trade for %s (%j) and keeps the others of its message', (reason, over) => {
    const { message, parts } = read(tradesMessage(rawTrade(NOW), rawTrade(NOW, over), rawTrade(NOW + 1)));
    expect(parts).toEqual([reason]);
    expect(message.kind === 'trades' && message.trades.length).toBe(2);
  });

  it('counts 15 significant digits without the zeros that only place the point', () => {
    const { message } = read(
      tradesMessage(rawTrade(NOW, { px: '0000105056.100000000000', sz: '0.00000123456789012345' })),
    );
    expect(message.kind === 'trades' && message.trades[0]).toMatchObject({ price: 105056.1 });
  });

  it('[FLW-2] answers any text and any JSON with a message or a refusal, never with another error', () => {
    const spoilt = fc.constantFrom('trades', 'bbo', 'l2Book', 'activeAssetCtx', 'subscriptionResponse', 'error');
    const framed = fc.record({ channel: spoilt, data: fc.jsonValue() }).map((message) => JSON.stringify(message));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), framed), (content) => {
        try {
          parseMessage(content, () => undefined);
        } catch (error) {
          expect(error).toBeInstanceOf(MessageRefused);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('answers of POST /info', () => {
  const refused: string[] = [];
  const refusePart = (error: MessageRefused): void => void refused.push(error.reason);
  beforeEach(() => void refused.splice(0));

  it('reads recent trades oldest first', () => {
    const trades = parseRecentTrades([rawTrade(NOW + 5), rawTrade(NOW)], refusePart);
    expect(trades.map((trade) => trade.time)).toEqual([NOW, NOW + 5]);
  });

  it('reads candles in order, the last of two for one minute, and refuses what does not fit together', () => {
    const [first, second] = rawCandles(NOW, NOW + 120_000);
    const wrong = [
      { ...first, h: '1.0' },
      { ...first, v: '-1' },
      { ...first, i: '5m' },
      { ...first, t: 1_737_918_840_001 },
      7,
    ];
    const candles = parseCandles([second, first, { ...first, c: first?.o }, ...wrong], refusePart);
    expect(candles.map((candle) => candle.openedAt)).toEqual([first?.t, second?.t]);
    expect(candles[0]?.close).toBe(Number(first?.o));
    expect(refused).toEqual(['ohlc_inconsistent', 'ohlc_inconsistent', 'shape', 'shape', 'shape']);
  });

  it('reads settled funding, negative rates too', () => {
    const rates = [{ coin: 'ETH', fundingRate: '-0.00022196', premium: '-0.00052196', time: 1_683_849_600_076 }];
    expect(parseFundingHistory(rates, refusePart)).toEqual([{ time: 1_683_849_600_076, rate: -0.00022196 }]);
  });

  it('reads an asset’s terms: tiers of its margin table, one tier where the table is implicit, and whether it is delisted', () => {
    expect(parseTerms(META, 'BTC')).toEqual({
      szDecimals: 5,
      maxLeverage: 40,
      isDelisted: false,
      tiers: [
        { lowerBound: '0', maxLeverage: 40 },
        { lowerBound: '150000000', maxLeverage: 20 },
      ],
    });
    expect(parseTerms(META, 'SMALL').tiers).toEqual([{ lowerBound: '0', maxLeverage: 3 }]);
    expect(parseTerms(META, 'LOOM').isDelisted).toBe(true);
    expect(reasonOf(() => parseTerms(META, 'NONE'))).toBe('unknown_coin');
    expect(reasonOf(() => parseTerms(null, 'BTC'))).toBe('shape');
  });
});
