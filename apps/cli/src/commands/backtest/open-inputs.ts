import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { BacktestRefused, type BacktestInputs, type InputRequest } from '@moon/backtesting';
import { INSTRUMENTS, instrumentForFeed, minuteQuoteVolume } from '@moon/domain';
import {
  isRawRecording,
  MarketFileSource,
  nearestName,
  RowRefused,
  type BadRow,
  type MarketFile,
  type ResolvedInstrument,
} from '@moon/infra';
import { openRawInputs } from './raw-inputs';
import { openStoredInputs, type StoredRun } from './stored-inputs';

/** Files of a backtest as its inputs. Rows that cannot be used are told to `onBad` and counted. */
export async function openFileInputs(request: InputRequest, onBad: (bad: BadRow) => void): Promise<BacktestInputs> {
  const { data, range, warmUpMs, ticks, folder } = request;
  const files = data.files.map((name) => fileOf(name, folder));
  for (const { path } of files)
    if (await isRawRecording(path)) return openRawInputs(request, files, { resolve: resolveInstrument, onBad });
  const source = await MarketFileSource.open({
    files,
    resolve: resolveInstrument,
    minuteVolume: minuteQuoteVolume,
    headers: { mode: 'recorded' },
    onBad,
    ...(ticks === 'ohlc' && { ticks }),
    ...(range.from === null ? {} : { from: range.from, warmupMs: warmUpMs }),
    ...(range.to === null ? {} : { to: range.to + 1 }),
  });
  const firsts = source.facts.map(({ firstAt }) => firstAt).filter(Number.isFinite);
  const lasts = source.facts.map(({ lastAt }) => lastAt).filter(Number.isFinite);
  return {
    source,
    names: files.map(({ path }) => basename(path)),
    instruments: source.instruments,
    fundingInstruments: source.instrumentsOf('funding'),
    firstAt: firsts.length === 0 ? null : Math.min(...firsts),
    lastAt: lasts.length === 0 ? null : Math.max(...lasts),
    startsAt: source.startsAt,
    fingerprint: () => source.fingerprint,
    reader: () => ({
      duplicatesCollapsed: source.reports.reduce((sum, { repeats }) => sum + repeats, 0),
      conflicts: source.reports.reduce((sum, { conflicts }) => sum + conflicts, 0),
      refusedByReason: source.refusedByReason,
    }),
    close: () => Promise.resolve(),
  };
}

const VENUES = [...new Set(INSTRUMENTS.map(({ venue }) => venue))];

/** FILE or FILE@VENUE. A path that is there is taken as it is. */
function fileOf(name: string, folder: string): MarketFile {
  const path = resolve(folder, name);
  const at = name.lastIndexOf('@');
  if (at < 1 || existsSync(path)) return { path };
  const venue = name.slice(at + 1).toUpperCase();
  if (VENUES.includes(venue)) return { path: resolve(folder, name.slice(0, at)), venue };
  const nearest = nearestName(venue, VENUES);
  throw new BacktestRefused(
    `${name}: there is no venue "${venue}". ${nearest === null ? `Venues: ${VENUES.join(', ')}.` : `Did you mean "${nearest}"?`}`,
  );
}

function resolveInstrument(venue: string, symbol: string): ResolvedInstrument {
  const instrument = instrumentForFeed(venue, symbol);
  if (!instrument)
    throw new RowRefused(
      'unknown_symbol',
      `symbol "${symbol}" of venue "${venue}" is not known; name the venue behind the file, e.g. FILE@BINANCE-USDM`,
    );
  const { id, token, kind, multiplier, fundingIntervalHours } = instrument;
  return {
    ...{ instrument: id, token, fundingIntervalHours },
    // Sizes of inverse contracts are numbers of contracts, each worth a fixed amount of quote.
    ...(kind === 'inverse' && { quotePerContract: Number(multiplier) }),
  };
}

/** How the thread of a backtest reaches the store; null when its data are files. */
export interface InputResources {
  store: StoredRun | null;
}

/** Refused rows that are told one by one. */
const TOLD_ROWS = 5;

/** @throws Error that names the file, or the run, and what is wrong with it */
export function openInputs(
  request: InputRequest,
  { store }: InputResources,
  notice: (message: string) => void,
): Promise<BacktestInputs> {
  if (store !== null) return openStoredInputs(request, store);
  let told = 0;
  return openFileInputs(request, (bad) => {
    told += 1;
    if (told <= TOLD_ROWS) notice(`${bad.file}:${bad.line} ${bad.rule}: ${bad.message}`);
    if (told === TOLD_ROWS + 1) notice('More rows were refused; the report counts them by reason.');
  });
}
