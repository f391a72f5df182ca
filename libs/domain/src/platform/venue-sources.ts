import { findInstrument } from '../instruments';
import { priceSourceOf } from './bootstrap';
import type { PlatformConfig } from './platform-config';

interface Sources {
  /** Traded instrument → instrument whose prices move it at the venue. */
  priceSources: Record<string, string>;
  /** Traded instrument → instrument whose funding it pays. */
  fundingSources: Record<string, string>;
}

/**
 * What prices and funds each traded instrument at the paper venue: the instrument that values it in the portfolio, and the
 * feed's funding of the same token. What is configured comes first.
 */
export function venueSources(
  platform: PlatformConfig,
  feedInstruments: readonly string[],
  fundingInstruments: readonly string[],
  configured: Sources,
): Sources {
  const sources: Sources = { priceSources: {}, fundingSources: {} };
  for (const { instrument, priceSource } of platform.portfolios.flatMap(({ instruments }) => instruments)) {
    const token = findInstrument(instrument)?.token;
    sources.priceSources[instrument] = priceSourceOf(instrument, priceSource, feedInstruments);
    const funding =
      fundingInstruments.find((id) => id === instrument) ??
      fundingInstruments.find((id) => findInstrument(id)?.token === token);
    if (funding !== undefined) sources.fundingSources[instrument] = funding;
  }
  return {
    priceSources: { ...sources.priceSources, ...configured.priceSources },
    fundingSources: { ...sources.fundingSources, ...configured.fundingSources },
  };
}
