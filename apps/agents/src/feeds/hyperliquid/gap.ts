import type { AnyEvent } from '@moon/events';
import { feedEvent, type Speaker } from '../feed-event';
import { MessageRefused } from './fields';
import { InfoUnavailable, type InfoClient } from './info-client';
import type { RefusePart } from './parse';
import { parseCandles, parseRecentTrades } from './parse-info';
import type { Translator } from './translate';

const MINUTE = 60_000;

export interface Gap {
  /** When something was last heard, ms, and when the connection stood again. */
  fromMs: number;
  toMs: number;
  reason: string;
}

export interface GapFillerOptions {
  info: InfoClient;
  translator: Translator;
  live: Speaker;
  past: Speaker;
  refusePart: RefusePart;
  now: () => number;
}

/** What could be had of a gap, in the order in which it is to be said. */
interface Recovered {
  events: AnyEvent[];
  isFilled: boolean;
  words: string;
}

/**
 * Gets what the venue still tells of a gap: the whole minutes in it as bars, which agents take as history, and the last trades.
 * The gap counts as filled when the trades reach back to the last one known, or when every whole minute is there.
 */
export class GapFiller {
  constructor(private readonly options: GapFillerOptions) {}

  /** The events of the gap and, last, `feed.gap`, which says whether it could be filled. */
  async fill(coin: string, gap: Gap): Promise<AnyEvent[]> {
    const { live, translator, now } = this.options;
    const recovered = await this.recover(coin, gap);
    const { fromMs, toMs } = gap;
    const instrument = translator.instrument(coin).id;
    const reason = `${gap.reason}; ${recovered.words}`.slice(0, 1_000);
    const data = {
      feed: 'hyperliquid',
      instrument,
      fromMs,
      toMs,
      filled: recovered.isFilled,
      reason,
      timestamp: now(),
    };
    const identity = { source: 'HYPERLIQUID', kind: 'feed.gap', instrument, values: [fromMs, toMs] };
    return [...recovered.events, feedEvent(live, 'feed.gap', data, identity)];
  }

  /** The whole minutes of a stretch as bars; none when the venue does not answer. */
  async bridge(coin: string, gap: Gap): Promise<AnyEvent[]> {
    try {
      return (await this.bars(coin, gap)).events;
    } catch (error) {
      if (!(error instanceof InfoUnavailable) && !(error instanceof MessageRefused)) throw error;
      this.options.refusePart(new MessageRefused('no_answer', error.message), coin);
      return [];
    }
  }

  private async recover(coin: string, gap: Gap): Promise<Recovered> {
    try {
      const bars = await this.bars(coin, gap);
      const trades = await this.trades(coin);
      const words = `${bars.events.length} bars and ${trades.events.length} trades were got afterwards`;
      const isFilled = trades.reachesBack || (bars.wanted > 0 && bars.events.length >= bars.wanted);
      return { events: [...bars.events, ...trades.events], isFilled, words };
    } catch (error) {
      if (!(error instanceof InfoUnavailable) && !(error instanceof MessageRefused)) throw error;
      return { events: [], isFilled: false, words: `not filled: ${error.message}` };
    }
  }

  private async bars(coin: string, { fromMs }: Gap): Promise<{ events: AnyEvent[]; wanted: number }> {
    const { info, translator, past, refusePart, now } = this.options;
    const first = Math.ceil(fromMs / MINUTE) * MINUTE;
    const end = Math.floor(now() / MINUTE) * MINUTE;
    const wanted = Math.max(0, (end - first) / MINUTE);
    if (wanted === 0) return { events: [], wanted };
    const candles = parseCandles(await info.candles(coin, first, end - 1), refusePart);
    const inside = candles.filter(({ openedAt }) => openedAt >= first && openedAt < end);
    return { events: translator.bars(coin, inside, now(), past), wanted };
  }

  private async trades(coin: string): Promise<{ events: AnyEvent[]; reachesBack: boolean }> {
    const { info, translator, refusePart, now } = this.options;
    const known = translator.newestTradeAt(coin);
    const trades = parseRecentTrades(await info.recentTrades(coin), refusePart);
    const oldest = trades[0]?.time ?? Number.POSITIVE_INFINITY;
    const reachesBack = known !== null && oldest <= known;
    return { events: translator.trades(trades, now()), reachesBack };
  }
}
