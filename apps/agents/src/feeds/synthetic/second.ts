import { minuteQuoteVolume } from '@moon/domain';
import type { AnyEvent } from '@moon/events';
import { feedEvent, type Speaker } from '../feed-event';
import type { MadePost, MadeTrade } from './made';
import type { SyntheticMarket } from './market';
import type { TokenProfile } from './tokens';

/** Name under which made-up posts appear. */
const SOCIAL = 'synthetic-social';
const MARK_EVERY_S = 3;
const ORACLE_EVERY_S = 9;
const FUNDING_EVERY_S = 300;
const HOUR_S = 3_600;

/** Turns what the market makes of a second into events, each with its id (rule 3). */
export class SecondWriter {
  private readonly volume = minuteQuoteVolume();
  private readonly idSource: string;
  private readonly tradesPerSecond: number;

  constructor(
    private readonly market: SyntheticMarket,
    private readonly profiles: readonly TokenProfile[],
    { seed, tradesPerSecond }: { seed: number; tradesPerSecond: number },
  ) {
    this.idSource = `SYNTHETIC/${seed}`;
    this.tradesPerSecond = tradesPerSecond;
  }

  /** Everything that happens in one second, in the order of time. Moves the market. */
  live(second: number, speaker: Speaker): AnyEvent[] {
    const events = this.funding(second, speaker);
    for (const trade of this.market.manyTrades(second, this.profiles, this.tradesPerSecond))
      events.push(this.tick(trade, speaker));
    for (const profile of this.profiles) {
      if (second % MARK_EVERY_S === 0) events.push(this.reference(second, profile, 'mark', speaker));
      if (second % ORACLE_EVERY_S === 0) events.push(this.reference(second, profile, 'oracle', speaker));
      const forced = this.market.liquidations(second, profile);
      forced.forEach((one, index) => events.push(this.liquidation(one, index, speaker)));
    }
    events.push(...this.posts(second, speaker));
    return events.sort((a, b) => a.occurredAt - b.occurredAt);
  }

  /** Moves the market through a second and keeps the volume of the last minute; says what was traded, not to be published. */
  silent(second: number): MadeTrade[] {
    const trades = this.market.trades(second, this.profiles);
    for (const trade of trades) this.noteVolume(trade.profile.instrument.id, trade.at, trade.price * trade.size);
    return trades;
  }

  /** Enters what was traded before; @returns quote volume of the last minute */
  noteVolume(instrument: string, at: number, value: number): number {
    return this.volume(instrument, at, value);
  }

  posts(second: number, speaker: Speaker): AnyEvent[] {
    const posts = this.profiles.map((profile) => this.market.post(second, profile));
    return posts.filter((post): post is MadePost => post !== null).map((post) => this.sentiment(post, speaker));
  }

  /** Settled at the full hour, predicted every five minutes. */
  funding(second: number, speaker: Speaker): AnyEvent[] {
    if (second % FUNDING_EVERY_S !== 0) return [];
    return this.profiles.flatMap((profile) => {
      const isSettlement = second % HOUR_S === 0;
      const predicted = this.rate(second, profile, 'predicted', speaker);
      return isSettlement ? [this.rate(second, profile, 'settled', speaker), predicted] : [predicted];
    });
  }

  private rate(second: number, profile: TokenProfile, status: 'settled' | 'predicted', speaker: Speaker): AnyEvent {
    const timestamp = second * 1_000;
    const nextHour = (Math.floor(second / HOUR_S) + 1) * HOUR_S * 1_000;
    const rate = this.market.fundingRate(second, profile);
    const data = {
      token: profile.token,
      instrument: profile.instrument.id,
      rate,
      intervalHours: 1,
      status,
      settlesAt: status === 'settled' ? timestamp : nextHour,
      oraclePrice: this.oraclePrice(second, profile),
      timestamp,
    };
    return feedEvent(speaker, 'funding.update', data, this.identity('funding.update', profile, [status, rate]));
  }

  private tick({ profile, at, price, size, side }: MadeTrade, speaker: Speaker): AnyEvent {
    const instrument = profile.instrument.id;
    const data = {
      token: profile.token,
      price,
      volume_1m: this.volume(instrument, at, price * size),
      timestamp: at,
      instrument,
      kind: 'last' as const,
      size,
      side,
      tradeId: `synthetic-${at}`,
    };
    return feedEvent(speaker, 'price.tick', data, this.identity('price.tick/last', profile, [price, size, side]));
  }

  private reference(second: number, profile: TokenProfile, kind: 'mark' | 'oracle', speaker: Speaker): AnyEvent {
    const instrument = profile.instrument.id;
    const last = this.market.priceOf(profile.token);
    const price = kind === 'mark' ? last : this.oraclePrice(second, profile);
    const timestamp = second * 1_000 + 999;
    const data = {
      token: profile.token,
      price,
      volume_1m: this.volume(instrument, timestamp, 0),
      timestamp,
      instrument,
      kind,
    };
    return feedEvent(speaker, 'price.tick', data, this.identity(`price.tick/${kind}`, profile, [price]));
  }

  private oraclePrice(second: number, profile: TokenProfile): number {
    return Number((this.market.priceOf(profile.token) / (1 + this.market.premium(second))).toPrecision(7));
  }

  private liquidation({ profile, at, price, size, side }: MadeTrade, index: number, speaker: Speaker): AnyEvent {
    const data = { token: profile.token, instrument: profile.instrument.id, side, price, size, timestamp: at };
    const identity = this.identity('market.liquidation', profile, [side, price, size, index]);
    return feedEvent(speaker, 'market.liquidation', data, identity);
  }

  private sentiment({ profile, at, score, text }: MadePost, speaker: Speaker): AnyEvent {
    const data = { token: profile.token, source: SOCIAL, score, scaleMin: -1, scaleMax: 1, text, timestamp: at };
    return feedEvent(speaker, 'market.sentiment', data, this.identity('market.sentiment', profile, [score]));
  }

  private identity(kind: string, profile: TokenProfile, values: readonly (string | number)[]) {
    return { source: this.idSource, kind, instrument: profile.instrument.id, values };
  }
}
