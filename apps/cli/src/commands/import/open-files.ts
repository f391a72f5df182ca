import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { INSTRUMENTS, instrumentForFeed, minuteQuoteVolume } from '@moon/domain';
import {
  MarketFileSource,
  nearestName,
  RowRefused,
  type BadRow,
  type MarketFile,
  type ResolvedInstrument,
} from '@moon/infra';
import { UsageError } from '../../errors';

export interface FileOptions {
  /** Of all files that name none themselves (FILE@VENUE). */
  venue?: string;
  /** What the candles' stamps are; default: what is known of the venue. */
  stamps?: 'open' | 'close';
}

const VENUES = [...new Set(INSTRUMENTS.map(({ venue }) => venue))];

/** @throws UsageError for a venue that is not known, UnreadableFile for a file that cannot be used at all */
export function openFiles(
  names: readonly string[],
  cwd: string,
  options: FileOptions,
  onBad: (bad: BadRow) => void,
): Promise<MarketFileSource> {
  const venue = options.venue === undefined ? undefined : knownVenue(options.venue);
  const files = names.map((name): MarketFile => {
    const file = fileOf(name, cwd);
    return {
      ...file,
      ...(file.venue === undefined && venue !== undefined && { venue }),
      ...(options.stamps !== undefined && { stampsClose: options.stamps === 'close' }),
    };
  });
  const paths = files.map(({ path }) => path);
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) throw new UsageError(`${twice} is named twice.`);
  return MarketFileSource.open({
    files,
    resolve: resolveInstrument,
    minuteVolume: minuteQuoteVolume,
    headers: { mode: 'recorded' },
    onBad,
  });
}

/** FILE or FILE@VENUE, as `npm start -- --from` takes it. A path that is there is taken as it is. */
function fileOf(name: string, cwd: string): MarketFile {
  const path = resolve(cwd, name);
  const at = name.lastIndexOf('@');
  if (at < 1 || existsSync(path)) return { path };
  return { path: resolve(cwd, name.slice(0, at)), venue: knownVenue(name.slice(at + 1)) };
}

function knownVenue(name: string): string {
  const venue = name.toUpperCase();
  if (VENUES.includes(venue)) return venue;
  const nearest = nearestName(venue, VENUES);
  throw new UsageError(
    `There is no venue "${name}". ${nearest === null ? `Venues: ${VENUES.join(', ')}.` : `Did you mean "${nearest}"?`}`,
  );
}

function resolveInstrument(venue: string, symbol: string): ResolvedInstrument {
  const instrument = instrumentForFeed(venue, symbol);
  if (!instrument)
    throw new RowRefused('unknown_symbol', `symbol "${symbol}" is none of venue ${venue}; --venue names another one`);
  const { id, token, fundingIntervalHours, kind, multiplier } = instrument;
  return {
    instrument: id,
    token,
    fundingIntervalHours,
    ...(kind === 'inverse' && { quotePerContract: Number(multiplier) }),
  };
}
