import type { MadePost, MadeTrade } from './made';
import { between, drawsAt, fatNormal, normal, poisson, STREAM } from './random';
import { driftAt, moodOf, type Regime, type RegimePlan } from './regimes';
import { splitTrade } from './split';
import { onGrid, onLots, type TokenProfile } from './tokens';

/** Share of a token's variance that is the market's. */
const MARKET_SHARE = 0.72;
/** Half of the distance to the base price is gone after two days: prices stay plausible however long a run lasts. */
const REVERSION_PER_SECOND = Math.LN2 / 172_800;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** People speak of what was, 1 to 16 minutes ago. */
const MOOD_LAG_MINUTES = 1;
const MOOD_MEMORY_MINUTES = 15;
const POSTS_PER_SECOND = 1 / 170;
/** Annual funding rate when nobody is crowded: 0.00125 % an hour. */
const NEUTRAL_APR = 0.1095;
const HOURS_A_YEAR = 8_760;

/**
 * The market itself: a random walk on the venue's price grid, one step per token and second. Every draw depends on the
 * seed and the second alone and the walk's only state is the last prices, so whoever has those can go on.
 */
export class SyntheticMarket {
  private readonly mood = new Map<number, number>();

  constructor(
    private readonly seed: number,
    private readonly plan: RegimePlan,
    /** Last traded price by token; changed by `trades`. */
    private readonly prices: Record<string, number>,
  ) {}

  priceOf(token: string): number {
    const price = this.prices[token];
    if (price === undefined) throw new Error(`The synthetic market has no price of ${token}; that is a defect.`);
    return price;
  }

  regimeAt(second: number): Regime {
    return this.plan.at(second * 1_000);
  }

  /** The trades of one second, each token's one, in the order of the profiles; moves the prices. */
  trades(second: number, profiles: readonly TokenProfile[]): MadeTrade[] {
    const regime = this.regimeAt(second);
    const shared = fatNormal(drawsAt(this.seed, STREAM.shock, second));
    return profiles.map((profile) => this.trade(second, profile, regime, shared));
  }

  /** The same second with `count` trades for each token's one; moves the prices to the same place. */
  manyTrades(second: number, profiles: readonly TokenProfile[], count: number): MadeTrade[] {
    const before = profiles.map(({ token }) => this.priceOf(token));
    const regime = this.regimeAt(second);
    return this.trades(second, profiles).flatMap((trade, index) =>
      splitTrade(trade, {
        before: before[index] ?? trade.price,
        sigmaBps: sigmaOf(trade.profile, regime),
        count,
        draw: drawsAt(this.seed, STREAM.split, second, trade.profile.stream),
      }),
    );
  }

  private trade(second: number, profile: TokenProfile, regime: Regime, shared: number): MadeTrade {
    const draw = drawsAt(this.seed, STREAM.trade, second, profile.stream);
    const before = this.priceOf(profile.token);
    const noise = Math.sqrt(MARKET_SHARE) * shared + Math.sqrt(1 - MARKET_SHARE) * fatNormal(draw);
    const sigma = sigmaOf(profile, regime);
    const drift = (profile.beta * driftAt(regime, second * 1_000)) / 60;
    const back = -REVERSION_PER_SECOND * Math.log(before / basePrice(this.seed, profile)) * 1e4;
    const returnBps = drift + sigma * noise + back;
    const price = onGrid(profile.instrument, before * Math.exp(returnBps / 1e4));
    this.prices[profile.token] = price;
    const side = draw() < 0.5 + 0.35 * Math.tanh(returnBps / sigma) ? 'buy' : 'sell';
    const haste = regime.kind === 'panic' ? 4 : regime.kind === 'trend' ? 1.5 : 1;
    const value = profile.tradeValue * haste * Math.exp(0.9 * normal(draw));
    const at = second * 1_000 + Math.floor(draw() * 1_000);
    return { profile, at, price, size: onLots(profile.instrument, value / price), side };
  }

  /** Forced orders of one second: longs in a panic, shorts now and then in a trend up, next to none otherwise. */
  liquidations(second: number, profile: TokenProfile): MadeTrade[] {
    const regime = this.regimeAt(second);
    const draw = drawsAt(this.seed, STREAM.liquidation, second, profile.stream);
    const mean = regime.kind === 'panic' ? 0.45 : regime.kind === 'trend' ? 0.012 : 0.002;
    const side = regime.direction > 0 ? 'buy' : 'sell';
    const last = this.priceOf(profile.token);
    return Array.from({ length: poisson(draw, mean) }, () => {
      const price = onGrid(profile.instrument, last * (1 + between(draw, 0, 0.0008) * (side === 'buy' ? 1 : -1)));
      const value = profile.tradeValue * 2 * Math.exp(normal(draw));
      const at = second * 1_000 + Math.floor(draw() * 1_000);
      return { profile, at, price, size: onLots(profile.instrument, value / price), side };
    });
  }

  /** What somebody says in this second, if anybody does: the mood of the last quarter of an hour, with noise. */
  post(second: number, profile: TokenProfile): MadePost | null {
    const draw = drawsAt(this.seed, STREAM.post, second, profile.stream);
    if (draw() >= POSTS_PER_SECOND) return null;
    const raw = this.moodAt(second) + 0.3 * normal(draw);
    const score = Math.round(Math.max(-1, Math.min(1, raw)) * 100) / 100;
    const words = score > 0.3 ? 'is bullish' : score < -0.3 ? 'is bearish' : 'cannot tell';
    const at = second * 1_000 + Math.floor(draw() * 1_000);
    return { profile, at, score, text: `SYNTHETIC: somebody ${words} on ${profile.token}` };
  }

  /** Mean of what the regimes of the last minutes make people say, the latest counting most; −1 to 1. */
  private moodAt(second: number): number {
    const minute = Math.floor(second / 60);
    const known = this.mood.get(minute);
    if (known !== undefined) return known;
    let [sum, weights] = [0, 0];
    for (let ago = 0; ago < MOOD_MEMORY_MINUTES; ago += 1) {
      const weight = 1 - ago / MOOD_MEMORY_MINUTES;
      sum += weight * moodOf(this.plan.at((minute - MOOD_LAG_MINUTES - ago) * MINUTE));
      weights += weight;
    }
    if (this.mood.size > 256) this.mood.clear();
    this.mood.set(minute, sum / weights);
    return sum / weights;
  }

  /** Hourly funding rate: neutral, plus what the trends of the last hour have left in crowding, plus noise; a panic drives it far down. */
  fundingRate(second: number, profile: TokenProfile): number {
    const excess =
      0.26 * this.crowding(second) + 0.02 * normal(drawsAt(this.seed, STREAM.funding, second, profile.stream));
    return Number(((NEUTRAL_APR + excess) / HOURS_A_YEAR).toPrecision(6));
  }

  /** Premium of the perpetual over its oracle price, as a fraction. */
  premium(second: number): number {
    return 0.00005 + 0.0003 * this.crowding(second);
  }

  private crowding(second: number): number {
    const now = second * 1_000;
    let [sum, weights] = [0, 0];
    for (let ago = 0; ago < HOUR; ago += 5 * MINUTE) {
      const weight = 2 ** (-ago / (20 * MINUTE));
      const regime = this.plan.at(now - ago);
      sum += weight * (regime.kind === 'panic' ? -2.5 : moodOf(regime));
      weights += weight;
    }
    return sum / weights;
  }
}

/** Standard deviation of a second's return, basis points. */
const sigmaOf = (profile: TokenProfile, regime: Regime): number => (profile.beta * regime.sigmaBps) / Math.sqrt(60);

/** What the market of a seed hovers around: the token's base price, up to 15 % up or down. */
export function basePrice(seed: number, profile: TokenProfile): number {
  const factor = between(drawsAt(seed, STREAM.base, 0, profile.stream), 0.85, 1.15);
  return onGrid(profile.instrument, profile.basePrice * factor);
}
