import fc from 'fast-check';
import { add, cmp, max, mul, sub } from '../money';
import {
  findInstrument,
  initialMarginRate,
  instrumentForFeed,
  instrumentFromListing,
  instrumentListing,
  INSTRUMENTS,
  isOnLot,
  isOnTick,
  maintenance,
  maintenanceTiers,
  roundPrice,
  roundQuantityDown,
  tokenOf,
  type Instrument,
} from '.';

function known(id: string): Instrument {
  const instrument = findInstrument(id);
  if (instrument === undefined) throw new Error(`${id} is not defined.`);
  return instrument;
}

/** A HyperLiquid perpetual with the given szDecimals. */
const perpetual = (szDecimals: number): Instrument => ({
  ...known('BTC.HYPERLIQUID'),
  priceRule: { type: 'significant', figures: 5, maxDecimals: 6 - szDecimals },
  lot: szDecimals === 0 ? '1' : `0.${'0'.repeat(szDecimals - 1)}1`,
});

describe('price and lot rules of the venue (HyperLiquid, docs and SDK vectors)', () => {
  it.each([
    [0, '97123.456789', '97123'],
    [1, '1234.56', '1234.5'],
    [0, '0.0012345', '0.001234'],
    [0, '123456.7', '123450'],
    [0, '123456', '123456'],
    [1, '1.2345678', '1.2345'],
  ])('szDecimals %d: a buy at %s is sent at %s', (szDecimals, price, sent) => {
    expect(roundPrice(perpetual(szDecimals), price, 'buy')).toBe(sent);
  });

  it.each([
    [0, '97123.456789', '97124'],
    [0, '0.0012345', '0.001235'],
    [0, '123456.7', '123460'],
    [5, '99999.5', '100000'],
  ])('szDecimals %d: a sell at %s is sent at %s, never cheaper than asked', (szDecimals, price, sent) => {
    expect(roundPrice(perpetual(szDecimals), price, 'sell')).toBe(sent);
  });

  it.each([
    [1, '1234.5', true],
    [1, '1234.56', false],
    [0, '0.001234', true],
    [0, '0.0012345', false],
    [1, '0.01234', true],
    [1, '0.012345', false],
    [5, '123456', true],
    [5, '12345.6', false],
    [0, '0', false],
  ])('szDecimals %d: %s is a price of the venue: %s', (szDecimals, price, fine) => {
    expect(isOnTick(perpetual(szDecimals), price)).toBe(fine);
  });

  it('sizes have at most szDecimals decimals and are only ever rounded down', () => {
    expect(isOnLot(perpetual(3), '1.001')).toBe(true);
    expect(isOnLot(perpetual(3), '1.0001')).toBe(false);
    expect(isOnLot(perpetual(3), '0')).toBe(false);
    expect(roundQuantityDown(perpetual(3), '1.0009999')).toBe('1');
    expect(roundQuantityDown(perpetual(0), '0.99')).toBe('0');
  });

  it('a price that rounds away altogether is refused', () => {
    expect(() => roundPrice(perpetual(5), '0.04', 'buy')).toThrow(/rounds to 0/);
  });

  it('whatever the instrument: a rounded price is the venue’s, on the safe side, less than one step away, and stays', () => {
    const price = fc.integer({ min: 1, max: 2_000_000_000 }).map((units) => (units / 1_000).toString());
    const side = fc.constantFrom('buy' as const, 'sell' as const);
    fc.assert(
      fc.property(price, fc.constantFrom(...INSTRUMENTS), side, (asked, { priceRule, ...rest }, way) => {
        const instrument = { priceRule, ...rest };
        const finest =
          priceRule.type === 'tick' ? priceRule.tick : (10 ** -priceRule.maxDecimals).toFixed(priceRule.maxDecimals);
        fc.pre(cmp(asked, finest) >= 0);
        const sent = roundPrice(instrument, asked, way);
        expect(isOnTick(instrument, sent)).toBe(true);
        expect(roundPrice(instrument, sent, way)).toBe(sent);
        const away = way === 'buy' ? sub(asked, sent) : sub(sent, asked);
        expect(cmp(away, '0')).not.toBe(-1);
        const step = priceRule.type === 'tick' ? finest : max(finest, mul(asked, '0.0001'));
        expect(cmp(away, step)).toBe(-1);
      }),
    );
  });

  it('whatever the instrument: a rounded quantity is on the lot, never more, less than a lot away', () => {
    const quantity = fc.integer({ min: 1, max: 2_000_000_000 }).map((units) => (units / 100_000).toFixed(9));
    fc.assert(
      fc.property(quantity, fc.constantFrom(...INSTRUMENTS), (asked, instrument) => {
        const sent = roundQuantityDown(instrument, asked);
        expect(sent === '0' || isOnLot(instrument, sent)).toBe(true);
        expect(cmp(sent, asked) <= 0).toBe(true);
        expect(cmp(add(sent, instrument.lot), asked) > 0).toBe(true);
      }),
    );
  });
});

describe('margin tiers (HyperLiquid docs, trading/margin-tiers)', () => {
  it('BTC: 200M of notional asks for 3.125M: 150M at 1.25 % and 50M at 2.5 %', () => {
    expect(maintenance(known('BTC.HYPERLIQUID'), '200000000')).toEqual({
      rate: '0.025',
      deduction: '1875000',
      amount: '3125000',
    });
    expect(maintenance(known('BTC.HYPERLIQUID'), '100000')).toEqual({ rate: '0.0125', deduction: '0', amount: '1250' });
  });

  it.each([
    ['ETH.HYPERLIQUID', 1333333.333333],
    ['SOL.HYPERLIQUID', 1750000],
    ['XRP.HYPERLIQUID', 1000000],
    ['DOGE.HYPERLIQUID', 1000000],
    ['BNB.HYPERLIQUID', 150000],
  ])('%s: the deduction of the upper tier is %d', (id, deduction) => {
    expect(Number(maintenanceTiers(known(id))[1]?.deduction)).toBeCloseTo(deduction, 5);
  });

  it('does not jump where a tier begins, and never falls as the position grows', () => {
    for (const instrument of INSTRUMENTS) {
      for (const { lowerBound } of instrument.marginTiers.slice(1)) {
        const below = maintenance(instrument, lowerBound).amount;
        const above = maintenance(instrument, add(lowerBound, '0.000001')).amount;
        expect(cmp(above, below)).toBe(1);
        expect(Number(sub(above, below))).toBeLessThan(1e-6);
      }
    }
  });

  it('initial margin is 1 / leverage, up to what the tier of the notional allows', () => {
    const btc = known('BTC.HYPERLIQUID');
    expect(initialMarginRate(btc, 40)).toBe('0.025');
    expect(() => initialMarginRate(btc, 41)).toThrow(/leverage of 1 to 40/);
    expect(() => initialMarginRate(btc, 40, '150000001')).toThrow(/leverage of 1 to 20/);
    expect(() => initialMarginRate(btc, 2.5)).toThrow(RangeError);
    expect(() => initialMarginRate(known('BTCUSDT.BINANCE-SPOT'), 2)).toThrow(/leverage of 1 to 1/);
    expect(maintenance(known('BTCUSDT.BINANCE-SPOT'), '1000').amount).toBe('0');
  });
});

describe('instruments of the feeds', () => {
  it('knows what the recordings name, with venue, token and settlement', () => {
    const facts = (source: string, symbol: string): unknown => {
      const { id, token, base, quote, settlement, kind, multiplier } =
        instrumentForFeed(source, symbol) ?? known('none');
      return [id, token, base, quote, settlement, kind, multiplier];
    };
    expect(facts('binance-spot', 'BTCUSDT')).toEqual([
      'BTCUSDT.BINANCE-SPOT',
      'BTC',
      'BTC',
      'USDT',
      'USDT',
      'spot',
      '1',
    ]);
    expect(facts('binance-usdm', 'ETHUSDT')).toEqual([
      'ETHUSDT.BINANCE-USDM',
      'ETH',
      'ETH',
      'USDT',
      'USDT',
      'linear',
      '1',
    ]);
    expect(facts('binance-coinm', 'BTCUSD_PERP')).toEqual([
      'BTCUSD_PERP.BINANCE-COINM',
      'BTC',
      'BTC',
      'USD',
      'BTC',
      'inverse',
      '100',
    ]);
    expect(facts('binance-coinm', 'ETHUSD_PERP')).toEqual([
      'ETHUSD_PERP.BINANCE-COINM',
      'ETH',
      'ETH',
      'USD',
      'ETH',
      'inverse',
      '10',
    ]);
    expect(facts('kraken', 'XBTUSDT')).toEqual(['XBTUSDT.KRAKEN', 'BTC', 'XBT', 'USDT', 'USDT', 'spot', '1']);
    expect(facts('ftx', 'BTC-PERP')).toEqual(['BTC-PERP.FTX', 'BTC', 'BTC', 'USD', 'USD', 'linear', '1']);
    expect(facts('hyperliquid', 'ARB')).toEqual(['ARB.HYPERLIQUID', 'ARB', 'ARB', 'USD', 'USDC', 'linear', '1']);
  });

  it('derives the definition of an unknown symbol from its name: one object for one id, found again by the id', () => {
    const spell = instrumentForFeed('binance-usdm', 'SPELLUSDT');
    expect(spell).toMatchObject({
      token: 'SPELL',
      quote: 'USDT',
      kind: 'linear',
      fundingIntervalHours: 8,
      validTo: null,
    });
    expect(findInstrument('SPELLUSDT.BINANCE-USDM')).toBe(spell);
    expect(instrumentForFeed('BINANCE-USDM', 'SPELLUSDT')).toBe(spell);
    expect(spell && isOnTick(spell, '0.0014329')).toBe(true);
    expect(instrumentForFeed('hyperliquid', 'NEWCOIN')).toMatchObject({ lot: '1', maxLeverage: 3 });
  });

  it('a dated future ends at its expiry and has no funding', () => {
    const future = instrumentForFeed('binance-usdm', 'BTCUSDT_250627');
    expect(future).toMatchObject({ token: 'BTC', fundingIntervalHours: null, validTo: Date.UTC(2025, 5, 27, 8) });
  });

  it.each([
    ['1000PEPE', 'PEPE'],
    ['1000000MOG', 'MOG'],
    ['1MBABYDOGE', 'BABYDOGE'],
    ['1000X', 'X'],
    ['kPEPE', 'PEPE'],
    ['XBT', 'BTC'],
    ['1INCH', '1INCH'],
    ['LUNA2', 'LUNA2'],
  ])('groups %s under %s', (base, token) => expect(tokenOf(base)).toBe(token));

  it.each([
    ['nowhere', 'BTCUSDT'],
    ['binance-spot', 'USDT'],
    ['binance-spot', 'btcusdt'],
    ['binance-usdm', 'BTCUSDT_june'],
    ['binance-coinm', 'BTCUSD'],
    ['hyperliquid', '@107'],
    ['hyperliquid', 'PURR/USDC'],
    ['kraken', '__proto__'],
    ['binance-spot', 'constructor'],
  ])('has none for %s %s', (source, symbol) => {
    expect(instrumentForFeed(source, symbol)).toBeUndefined();
    expect(findInstrument(`${symbol}.${source}`)).toBeUndefined();
  });

  it('every definition survives the event that lists it', () => {
    for (const instrument of INSTRUMENTS) {
      const data = JSON.parse(JSON.stringify(instrumentListing(instrument, 1_700_000_000_000))) as ReturnType<
        typeof instrumentListing
      >;
      expect(instrumentFromListing(data)).toEqual(instrument);
      expect(findInstrument(instrument.id)).toBe(instrument);
    }
    expect(new Set(INSTRUMENTS.map((one) => one.id)).size).toBe(INSTRUMENTS.length);
  });
});
