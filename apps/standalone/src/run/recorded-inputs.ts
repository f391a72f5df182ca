import { instrumentForFeed, minuteQuoteVolume, type PlatformConfig } from '@moon/domain';
import {
  MarketFileSource,
  RowRefused,
  type BadRow,
  type MarketFile,
  type ResolvedInstrument,
  utcInstant,
} from '@moon/infra';
import { canonicalHash } from '@moon/kernel';
import type { StandaloneConfig } from '../config/standalone-config';

/** Recorded files as a run's inputs, and what the run is known by: the same files with the same settings. */
export interface RecordedInputs {
  source: MarketFileSource;
  fingerprint: string;
}

/** @throws Error that names the file and what is wrong with it */
export async function openRecordedInputs(
  config: StandaloneConfig,
  onBad: (bad: BadRow) => void,
): Promise<RecordedInputs> {
  const { from, start, end, ticks } = config.feed;
  const source = await MarketFileSource.open({
    files: from.map(fileOf),
    resolve: resolveInstrument,
    minuteVolume: minuteQuoteVolume,
    headers: { mode: 'recorded' },
    onBad,
    ...(ticks === 'ohlc' && { ticks }),
    ...(start === undefined ? {} : { from: utcInstant(start) ?? undefined, warmupMs: config.feed.warmupMs }),
    ...(end === undefined ? {} : { to: utcInstant(end) ?? undefined }),
  });
  return { source, fingerprint: canonicalHash([source.fingerprint, decisive(config)]) };
}

/** Settings that change what a run does. */
function decisive({ platform, venue, model }: StandaloneConfig): {
  platform: PlatformConfig;
  venue: unknown;
  model: unknown;
} {
  return { platform, venue: { paper: venue.paper, timeToLive: venue.orderTimeToLiveMs }, model };
}

function fileOf(text: string): MarketFile {
  const at = text.lastIndexOf('@');
  return at < 0 ? { path: text } : { path: text.slice(0, at), venue: text.slice(at + 1) };
}

function resolveInstrument(venue: string, symbol: string): ResolvedInstrument {
  const instrument = instrumentForFeed(venue, symbol);
  if (!instrument) {
    throw new RowRefused(
      'unknown_symbol',
      `symbol "${symbol}" of venue "${venue}" is not known; name the venue behind the file, e.g. FILE@BINANCE-USDM`,
    );
  }
  const { id, token, kind, multiplier, fundingIntervalHours } = instrument;
  // Sizes of inverse contracts are numbers of contracts, each worth a fixed amount of quote.
  return {
    instrument: id,
    token,
    fundingIntervalHours,
    ...(kind === 'inverse' && { quotePerContract: Number(multiplier) }),
  };
}
