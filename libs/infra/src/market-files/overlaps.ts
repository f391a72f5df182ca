import type { FormatContext } from './formats';
import { refusalOf } from './row-reader';
import type { FileFacts } from './survey';

/** A file and how it is read. */
export interface ReadFile {
  facts: FileFacts;
  context: FormatContext;
}

/**
 * Whether a file may say what another one says too: of one kind, over a common time, about a common instrument. Only
 * then its inputs are watched for repeats. A symbol that is not known counts as common, for it cannot be told.
 */
export function overlapping(file: ReadFile, others: readonly ReadFile[]): boolean {
  const [from, to] = rangeOf(file);
  const { kind } = file.facts.format;
  // Sentiment names tokens, not instruments: there is nothing to be resolved.
  const instruments = kind === 'sentiment' ? null : instrumentsOf(file);
  return others.some((other) => {
    if (other === file || other.facts.format.kind !== kind) return false;
    const [otherFrom, otherTo] = rangeOf(other);
    if (otherFrom > to || otherTo < from) return false;
    if (kind === 'sentiment') return true;
    const theirs = instrumentsOf(other);
    return instruments === null || theirs === null || theirs.some((instrument) => instruments.includes(instrument));
  });
}

/** From the first instant that the rows of a file can give an input at to the last. */
function rangeOf({ facts, context }: ReadFile): [from: number, to: number] {
  const reach = facts.format.kind === 'candles' ? context.intervalMs : 0;
  return [facts.firstAt - reach, facts.lastAt + reach];
}

/** Null when rows may be about something else as well. */
function instrumentsOf({ facts, context }: ReadFile): string[] | null {
  try {
    return facts.symbols.map((symbol) => context.resolve(context.origin.venue, symbol).instrument);
  } catch (error) {
    refusalOf(error);
    return null;
  }
}
