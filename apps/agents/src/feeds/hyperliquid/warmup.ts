import type { AnyEvent } from '@moon/events';
import type { Speaker } from '../feed-event';
import type { HyperliquidFeedConfig } from './config';
import type { InfoClient } from './info-client';
import { withTerms } from './listing';
import type { RefusePart } from './parse';
import { parseCandles, parseFundingHistory, parseTerms } from './parse-info';
import type { Translator } from './translate';

const HOUR = 3_600_000;
const MINUTE = 60_000;

export interface PastRequest {
  info: InfoClient;
  translator: Translator;
  config: HyperliquidFeedConfig;
  /** Run time, ms: the history ends here. */
  now: number;
  speaker: Speaker;
  refusePart: RefusePart;
}

/**
 * The hours before `now` as the venue remembers them: the instruments' present terms, one-minute bars, settled funding;
 * oldest first, bars before rates of the same instant.
 *
 * @throws InfoUnavailable when the venue does not answer · MessageRefused when it does not have a coin (any more)
 */
export async function readPast(request: PastRequest): Promise<AnyEvent[]> {
  const { config, now, info } = request;
  const from = Math.floor((now - config.warmupHours * HOUR) / MINUTE) * MINUTE;
  const meta = await info.meta();
  const listings = config.coins.map((coin) => listing(coin, meta, from, request));
  const pasts = await Promise.all(config.coins.map((coin) => pastOf(coin, from, request)));
  const events = pasts.flat();
  const isBar = (event: AnyEvent): number => (event.type === 'bar.closed' ? 0 : 1);
  events.sort((a, b) => a.occurredAt - b.occurredAt || isBar(a) - isBar(b));
  return [...listings, ...events];
}

function listing(coin: string, meta: unknown, from: number, { translator, speaker }: PastRequest): AnyEvent {
  const terms = parseTerms(meta, coin);
  if (terms.isDelisted) throw new Error(`HyperLiquid has delisted "${coin}": take it out of the feed's coins.`);
  return translator.listed(withTerms(translator.instrument(coin), terms), from, speaker);
}

async function pastOf(coin: string, from: number, request: PastRequest): Promise<AnyEvent[]> {
  const { info, translator, now, speaker, refusePart } = request;
  const candles = parseCandles(await info.candles(coin, from, now), refusePart);
  const rates = parseFundingHistory(await info.fundingHistory(coin, from), refusePart);
  const past = rates.filter(({ time }) => time <= now);
  return [...translator.bars(coin, candles, now, speaker), ...translator.settled(coin, past, speaker)];
}
