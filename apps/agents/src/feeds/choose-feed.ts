import type { AnyEvent } from '@moon/events';
import { RunningClock, type Clock, type Feed } from '@moon/kernel';
import { completeFeedConfig } from './complete-config';
import { HyperliquidFeed, hyperliquidFeedConfigSchema, type HyperliquidFeedConfig } from './hyperliquid';
import { InfoClient, InfoUnavailable } from './hyperliquid/info-client';
import { SyntheticFeed, syntheticResume, type SyntheticResume } from './synthetic';

export interface ChooseFeedOptions {
  /** 'auto' is HyperLiquid when its host answers in time, else the synthetic feed. A feed that is named is taken as it is. */
  kind: 'auto' | 'hyperliquid' | 'synthetic';
  /** Tokens whose HyperLiquid perpetuals are priced. */
  tokens: readonly string[];
  /** Synthetic: which market. */
  seed: number;
  /** Synthetic: feed time per wall time. */
  pace: number;
  /** Synthetic: trades of each token in a second of feed time (1). Of more, `resumeAfter` misses some of the last minute's volume. */
  tradesPerSecond?: number;
  /** Synthetic: the clock of a deployment of several processes, at `pace`; it runs already. Default: one of its own, held until the start. */
  clock?: Clock;
  /** Anything else about the HyperLiquid feed: its hosts, its intervals. */
  hyperliquid?: Partial<HyperliquidFeedConfig>;
  /** How long the host may take to answer for 'auto', ms; default 2,000. */
  probeMs?: number;
  /** Hears which feed it is and why. */
  onNotice?: (message: string) => void;
}

/** A feed and the clock that a run on it goes by. */
export interface ChosenFeed {
  mode: Feed['mode'];
  feed: Feed;
  /** Wall time for a live feed. For the synthetic one feed time, which stands still until the feed is started. */
  clock: Clock;
  /** Which feed it is and why, in one sentence. */
  message: string;
  /**
   * The same choice, going on where a log ends (rule 4); a live feed is the same in any case.
   * @param newest the log's newest 2,000 `price.tick` events, in any order
   */
  resumeAfter(newest: readonly AnyEvent[]): ChosenFeed;
}

const MADE_UP = 'Prices are SYNTHETIC: made up, no real market.';

/** Makes the feed that was asked for, or the one that can be had. Neither is started yet. */
export async function chooseFeed(options: ChooseFeedOptions): Promise<ChosenFeed> {
  const given = { coins: [...options.tokens], ...options.hyperliquid };
  const config = completeFeedConfig('hyperliquid', hyperliquidFeedConfigSchema, given);
  const chosen = await choose(options, config);
  options.onNotice?.(chosen.message);
  return chosen;
}

async function choose(options: ChooseFeedOptions, config: HyperliquidFeedConfig): Promise<ChosenFeed> {
  const { restUrl } = config;
  if (options.kind === 'hyperliquid') return live(config, `Prices are HyperLiquid's (${restUrl}).`);
  if (options.kind === 'synthetic') return synthetic(options, MADE_UP, null);
  try {
    await new InfoClient(restUrl, options.probeMs ?? 2_000).ask({ type: 'meta' });
    return live(config, `HyperLiquid (${restUrl}) answers: prices are its own.`);
  } catch (error) {
    if (!(error instanceof InfoUnavailable)) throw error;
    const message = `${error.message}. ${MADE_UP} (--feed hyperliquid waits for the real one.)`;
    return synthetic(options, message, null);
  }
}

function live(config: HyperliquidFeedConfig, message: string): ChosenFeed {
  const clock = new RunningClock();
  const feed = new HyperliquidFeed({ config, clock, random: Math.random });
  const chosen: ChosenFeed = { mode: 'live', feed, clock, message, resumeAfter: () => chosen };
  return chosen;
}

function synthetic(options: ChooseFeedOptions, message: string, resume: SyntheticResume | null): ChosenFeed {
  const { tokens, seed, pace, tradesPerSecond = 1 } = options;
  const instruments = tokens.map((token) => `${token}.HYPERLIQUID`);
  const config = { seed, speed: pace, tradesPerSecond, instruments };
  const wall = heldWall();
  const clock = options.clock ?? new RunningClock(pace, resume?.lastAt ?? Date.now(), wall.now);
  const feed = new SyntheticFeed({ config, clock, resume, onStart: wall.begin });
  const resumeAfter = (newest: readonly AnyEvent[]): ChosenFeed =>
    synthetic(options, message, syntheticResume(newest, tokens));
  return { mode: 'synthetic', feed, clock, message, resumeAfter };
}

/** A wall clock that stands still until `begin`: made-up time does not run while the platform is still starting up. */
function heldWall(): { now: () => number; begin: () => void } {
  const heldAt = Date.now();
  let begunAt: number | null = null;
  return {
    now: () => (begunAt === null ? heldAt : heldAt + Date.now() - begunAt),
    begin: () => void (begunAt ??= Date.now()),
  };
}
