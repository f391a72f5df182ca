import { InfoClient, InfoUnavailable } from './hyperliquid/info-client';

export type FeedKind = 'hyperliquid' | 'synthetic';

/** Which feed a run takes, and a sentence that says why. The clock goes with it: real time live, faster for made-up prices. */
export interface FeedChoice {
  kind: FeedKind;
  message: string;
}

export interface ChooseFeedOptions {
  /** Address of HyperLiquid's REST host. */
  restUrl: string;
  /** How long the host may take to answer, ms; default 2,000. */
  timeoutMs?: number;
}

/** 'auto' is HyperLiquid when its host answers in time, else the synthetic feed. A feed that is named is taken as it is. */
export async function chooseFeed(wanted: FeedKind | 'auto', options: ChooseFeedOptions): Promise<FeedChoice> {
  const { restUrl, timeoutMs = 2_000 } = options;
  if (wanted === 'hyperliquid') return { kind: wanted, message: `Prices are HyperLiquid's (${restUrl}).` };
  const made = 'Prices are SYNTHETIC: made up, no real market.';
  if (wanted === 'synthetic') return { kind: wanted, message: made };
  try {
    await new InfoClient(restUrl, timeoutMs).ask({ type: 'meta' });
    return { kind: 'hyperliquid', message: `HyperLiquid (${restUrl}) answers: prices are its own.` };
  } catch (error) {
    if (!(error instanceof InfoUnavailable)) throw error;
    return { kind: 'synthetic', message: `${error.message}. ${made} (--feed hyperliquid waits for the real one.)` };
  }
}
