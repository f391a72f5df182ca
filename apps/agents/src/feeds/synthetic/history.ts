import type { AnyEvent } from '@moon/events';
import { feedEvent, type Speaker } from '../feed-event';
import type { MadeTrade } from './made';
import type { SecondWriter } from './second';

interface Forming {
  trade: MadeTrade;
  openedAt: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

const MINUTE_S = 60;

/**
 * The made-up past as an agent may hear it (rule 7): one-minute bars of the same walk that goes on live, what people said,
 * and funding. It is also how the feed gets over time that nobody listened to.
 */
export class SyntheticHistory {
  private readonly forming = new Map<string, Forming>();

  constructor(
    private readonly writer: SecondWriter,
    private readonly seed: number,
    private readonly speaker: Speaker,
  ) {}

  /** Moves the market through seconds [from, to); the bars that end meanwhile, posts and funding rates, oldest first. */
  advance(from: number, to: number): AnyEvent[] {
    const events: AnyEvent[] = [];
    for (let second = from; second < to; second += 1) {
      events.push(...this.writer.funding(second, this.speaker));
      for (const trade of this.writer.silent(second)) this.take(second, trade);
      events.push(...this.writer.posts(second, this.speaker).sort((a, b) => a.occurredAt - b.occurredAt));
      if ((second + 1) % MINUTE_S === 0) events.push(...this.closeBars(second + 1));
    }
    return events;
  }

  /** Drops bars that are not whole: what follows is heard live. */
  clear(): void {
    this.forming.clear();
  }

  private take(second: number, trade: MadeTrade): void {
    const { price, size } = trade;
    const bar = this.forming.get(trade.profile.token);
    if (bar === undefined) {
      if (second % MINUTE_S !== 0) return;
      const fresh = {
        trade,
        openedAt: second * 1_000,
        open: price,
        high: price,
        low: price,
        close: price,
        volume: size,
      };
      this.forming.set(trade.profile.token, fresh);
      return;
    }
    bar.high = Math.max(bar.high, price);
    bar.low = Math.min(bar.low, price);
    bar.close = price;
    bar.volume += size;
  }

  private closeBars(endSecond: number): AnyEvent[] {
    const bars = [...this.forming.values()].map((bar) => this.barEvent(bar, endSecond * 1_000));
    this.forming.clear();
    return bars;
  }

  private barEvent({ trade, ...bar }: Forming, timestamp: number): AnyEvent {
    const { token, instrument } = trade.profile;
    const volume = Number(bar.volume.toPrecision(12));
    const data = { token, instrument: instrument.id, intervalMs: MINUTE_S * 1_000, ...bar, volume, timestamp };
    const values = [bar.open, bar.high, bar.low, bar.close, volume];
    const identity = { source: `SYNTHETIC/${this.seed}`, kind: 'bar.closed', instrument: instrument.id, values };
    return feedEvent(this.speaker, 'bar.closed', data, identity);
  }
}
