import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { validateEvent, type AnyEvent } from '@moon/events';
import { RowRefused, type MinuteVolume, type ResolveInstrument } from '../formats';
import { MarketFileSource, type MarketFile, type MarketFileOptions } from '../market-file-source';
import type { BadRow } from '../row-reader';

/** Files of a test, in a folder of their own. */
export class TestFiles {
  private readonly folder = mkdtempSync(join(tmpdir(), 'market-files-'));

  write(name: string, content: string | Buffer): string {
    const path = join(this.folder, name);
    writeFileSync(path, name.endsWith('.gz') && typeof content === 'string' ? gzipSync(content) : content);
    return path;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

export interface ReadFiles {
  source: MarketFileSource;
  events: AnyEvent[];
  bad: BadRow[];
}

/** What the platform knows of an instrument; this library does not know the platform. */
interface Known {
  id: string;
  token: string;
  fundingIntervalHours: number | null;
  kind: string;
  multiplier: string;
}

export type ReadAll = (
  files: readonly (string | MarketFile)[],
  options?: Partial<MarketFileOptions>,
) => Promise<ReadFiles>;

/** Reads files to their end with the platform's instruments; every event is checked as at any boundary. */
export function readerWith(
  find: (venue: string, symbol: string) => Known | undefined,
  minuteVolume: () => MinuteVolume,
): ReadAll {
  const resolve: ResolveInstrument = (venue, symbol) => {
    const found = find(venue, symbol);
    if (!found) throw new RowRefused('unknown_symbol', `symbol "${symbol}" of ${venue} is not known`);
    const { id: instrument, token, fundingIntervalHours, kind, multiplier } = found;
    const resolved = { instrument, token, fundingIntervalHours };
    return kind === 'inverse' ? { ...resolved, quotePerContract: Number(multiplier) } : resolved;
  };
  return async (files, options = {}) => {
    const bad: BadRow[] = [];
    const source = await MarketFileSource.open({
      ...{ resolve, minuteVolume, headers: { mode: 'recorded' }, onBad: (row: BadRow) => void bad.push(row) },
      ...options,
      files: files.map((file) => (typeof file === 'string' ? { path: file } : file)),
    });
    const events: AnyEvent[] = [];
    for (let batch = await source.nextBatch(); batch; batch = await source.nextBatch()) {
      for (const event of batch) events.push(validateEvent(event));
    }
    return { source, events, bad };
  };
}

const PHASES: Record<string, number> = { 'bar.closed': 0, 'funding.update': 1, 'bar.opened': 3 };

/** Whether events are in the recorded order of rule 1 as far as time and phase go. */
export function isInOrder(events: readonly AnyEvent[]): boolean {
  return events.every((event, index) => {
    const before = events[index - 1];
    if (!before || before.occurredAt < event.occurredAt) return true;
    return before.occurredAt === event.occurredAt && (PHASES[before.type] ?? 2) <= (PHASES[event.type] ?? 2);
  });
}

/** Whether every row of every file is accounted for; a candle has two events, as ticks four. */
export function isAccounted({ source }: ReadFiles, candleEvents = 2): boolean {
  return source.reports.every(({ kind, rows, events, repeats, conflicts, refused, outside }, index) => {
    const eventsPerRow = kind === 'candles' ? candleEvents : 1;
    return (
      rows === source.facts[index]?.rows && rows === (events + outside) / eventsPerRow + repeats + conflicts + refused
    );
  });
}
