import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { BacktestRefused, type BacktestInputs, type InputRequest } from '@moon/backtesting';
import { minuteQuoteVolume } from '@moon/domain';
import type { AnyEvent } from '@moon/events';
import {
  RawRecording,
  venueOf,
  type BadRow,
  type MarketFile,
  type RawReport,
  type ResolveInstrument,
} from '@moon/infra';

export interface RawOptions {
  resolve: ResolveInstrument;
  onBad: (bad: BadRow) => void;
}

/**
 * A recorded feed (book, trades and quotes in the venue's own messages) as the inputs of a backtest. It is read twice: once
 * for what is in it, once to be played.
 *
 * @throws BacktestRefused when there are other files beside it
 */
export async function openRawInputs(
  { range, warmUpMs }: InputRequest,
  files: readonly MarketFile[],
  { resolve, onBad }: RawOptions,
): Promise<BacktestInputs> {
  const [file] = files;
  if (!file || files.length > 1)
    throw new BacktestRefused(
      'A recorded feed (lines of "time in ns, the venue’s message") is played alone: name it as the only file.',
    );
  const venue = file.venue ?? venueOf(file.path, 'trades');
  const open = (told: (bad: BadRow) => void): RawRecording =>
    new RawRecording({
      ...{ path: file.path, venue, resolve, minuteVolume: minuteQuoteVolume, headers: { mode: 'recorded' } },
      onBad: told,
    });
  const from = range.from === null ? Number.NEGATIVE_INFINITY : range.from - warmUpMs;
  // What is refused is told when it is played.
  const facts = await survey(
    open(() => undefined),
    from,
  );
  const recording = open(onBad);
  const asked = `${range.from ?? ''}..${range.to ?? ''}+${warmUpMs}`;
  const fingerprint = createHash('sha256').update(`raw:${facts.sha256}:${venue}\n${asked}`).digest('hex');
  return {
    source: { nextBatch: () => nextFrom(recording, from) },
    names: [basename(file.path)],
    ...{ instruments: facts.instruments, fundingInstruments: [] },
    ...{ firstAt: facts.firstAt, lastAt: facts.lastAt, startsAt: facts.startsAt },
    fingerprint: () => fingerprint,
    reader: () => countsOf(recording.report),
    close: () => Promise.resolve(),
  };
}

interface RawFacts {
  sha256: string;
  instruments: string[];
  firstAt: number | null;
  lastAt: number | null;
  startsAt: number;
}

async function survey(recording: RawRecording, from: number): Promise<RawFacts> {
  const instruments = new Set<string>();
  let firstAt: number | null = null;
  let lastAt: number | null = null;
  let startsAt: number | null = null;
  for (let batch = await recording.nextBatch(); batch; batch = await recording.nextBatch()) {
    for (const { occurredAt, data } of batch) {
      if ('instrument' in data && typeof data.instrument === 'string') instruments.add(data.instrument);
      firstAt ??= occurredAt;
      lastAt = Math.max(lastAt ?? 0, occurredAt);
      if (occurredAt >= from) startsAt ??= occurredAt;
    }
  }
  const { sha256 } = recording;
  if (sha256 === null) throw new Error('The recording was not read to its end.');
  return { sha256, instruments: [...instruments], firstAt, lastAt, startsAt: startsAt ?? 0 };
}

/** The next events from an instant on. */
async function nextFrom(recording: RawRecording, from: number): Promise<readonly AnyEvent[] | null> {
  for (let batch = await recording.nextBatch(); batch; batch = await recording.nextBatch()) {
    const inside = batch.filter(({ occurredAt }) => occurredAt >= from);
    if (inside.length > 0) return inside;
  }
  return null;
}

const countsOf = ({ repeats, refusedByReason }: RawReport): ReturnType<BacktestInputs['reader']> => ({
  duplicatesCollapsed: repeats,
  conflicts: 0,
  refusedByReason,
});
