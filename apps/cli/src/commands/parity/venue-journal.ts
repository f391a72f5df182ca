import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JournaledInput, VenueJournal } from '@moon/backtesting';

const JOURNAL = /^journal-(\d+)\.ndjson$/;
const SNAPSHOT = /^snapshot-(\d+)\.json$/;

/**
 * The journal of a run's paper venue, as far back as it is kept; nothing is written or mended. Null when the run had no
 * venue in its data directory.
 *
 * @param dataDir the data directory of a platform that is not running
 */
export function readVenueJournal(dataDir: string, runId: string): VenueJournal | null {
  const folder = join(dataDir, 'venue', runId);
  if (!existsSync(folder)) return null;
  const starts = numbersOf(folder, JOURNAL);
  const first = starts[0];
  if (first === undefined) return null;
  const inputs = inputsOf(starts.map((start) => join(folder, `journal-${start}.ndjson`)));
  if (first === 0) return { snapshot: null, inputs };
  if (!numbersOf(folder, SNAPSHOT).includes(first)) return null;
  const text = readFileSync(join(folder, `snapshot-${first}.json`), 'utf8');
  return { snapshot: JSON.parse(text) as VenueJournal['snapshot'], inputs };
}

function* inputsOf(paths: readonly string[]): Iterable<JournaledInput> {
  for (const path of paths) {
    const lines = readFileSync(path, 'utf8').split('\n');
    // Behind the last line end there is nothing, or half a line that was cut off and never counted.
    lines.pop();
    for (const line of lines) yield JSON.parse(line) as JournaledInput;
  }
}

function numbersOf(folder: string, pattern: RegExp): number[] {
  const numbers = readdirSync(folder).flatMap((name) => {
    const found = pattern.exec(name)?.[1];
    return found === undefined ? [] : [Number(found)];
  });
  return numbers.sort((a, b) => a - b);
}
