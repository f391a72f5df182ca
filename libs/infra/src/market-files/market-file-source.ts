import { basename } from 'node:path';
import { createHash } from 'node:crypto';
import type { AnyEvent } from '@moon/events';
import type { InputSource } from '@moon/kernel';
import { FileLane, type LaneEvent, type LaneReport } from './file-lane';
import type { FileKind, MinuteVolume, ResolveInstrument } from './formats';
import { inspectFile, refusalOf, type BadRow, type FileFacts } from './row-reader';

/** A file to read; the venue is told by its name when it is not given. */
export interface MarketFile {
  path: string;
  venue?: string;
  stampsClose?: boolean;
}

export interface MarketFileOptions {
  files: readonly MarketFile[];
  resolve: ResolveInstrument;
  /** A new rolling sum for each source: state of its own per run. */
  minuteVolume: () => MinuteVolume;
  headers: AnyEvent['headers'];
  onBad?: (bad: BadRow) => void;
  /** Only events from here (ms, inclusive) … */
  from?: number;
  /** … to here (exclusive). */
  to?: number;
}

/** Words in a file's name that tell the venue; the first that fits counts. */
const VENUE_WORDS: ReadonlyArray<readonly [RegExp, string]> = [
  [/hyperliquid/i, 'HYPERLIQUID'],
  [/coinm/i, 'BINANCE-COINM'],
  [/usdm|perp-2025|funding|liquidations?|binance-20/i, 'BINANCE-USDM'],
  [/kraken/i, 'KRAKEN'],
  [/BTC-PERP/, 'FTX'],
];

/** The venue that a file's name speaks of: Binance spot when it speaks of none. */
export function venueOf(path: string, kind: string): string {
  if (kind === 'funding' || kind === 'liquidations') return 'BINANCE-USDM';
  const name = basename(path);
  return VENUE_WORDS.find(([word]) => word.test(name))?.[1] ?? 'BINANCE-SPOT';
}

const BATCH = 1_000;

/** Several files merged into one recorded order: by (occurredAt, phase, source, position in file), rule 1. */
export class MarketFileSource implements InputSource {
  private readonly heads: Array<LaneEvent | null> = [];
  private isStarted = false;

  private constructor(
    readonly facts: readonly FileFacts[],
    private readonly lanes: readonly FileLane[],
    private readonly order: readonly string[],
    private readonly options: MarketFileOptions,
    /** Rows and events that were refused, by reason. */
    readonly refusedByReason: Readonly<Record<string, number>>,
  ) {}

  static async open(options: MarketFileOptions): Promise<MarketFileSource> {
    const facts: FileFacts[] = [];
    for (const file of options.files) facts.push(await inspectFile(file.path));
    const volume = options.minuteVolume();
    const refused: Record<string, number> = {};
    const onBad = (bad: BadRow): void => {
      refused[bad.rule] = (refused[bad.rule] ?? 0) + 1;
      options.onBad?.(bad);
    };
    const lanes = facts.map((fact, index) => {
      const file = options.files[index];
      const venue = file?.venue ?? venueOf(fact.path, fact.format.kind);
      const stampsClose = file?.stampsClose ?? venue === 'FTX';
      const context = { venue, resolve: options.resolve, minuteVolume: volume, intervalMs: fact.intervalMs ?? 60_000, stampsClose };
      return new FileLane(fact, context, onBad, options.headers);
    });
    const order = facts.map((fact) => `${fact.format.kind}/${basename(fact.path)}`);
    return new MarketFileSource(facts, lanes, order, options, refused);
  }

  /** One hash over the contents of all files and the chosen range: what a run on them is known by. */
  get fingerprint(): string {
    const hash = createHash('sha256');
    for (const fact of this.facts) hash.update(`${fact.format.kind}:${fact.sha256}\n`);
    hash.update(`${this.options.from ?? ''}..${this.options.to ?? ''}`);
    return hash.digest('hex');
  }

  /** Every instrument that the files price, in the order of its first row. */
  get instruments(): string[] {
    return this.instrumentsOf('candles', 'trades', 'funding', 'liquidations');
  }

  /** Instruments in the files of these kinds, in the order of their first rows. */
  instrumentsOf(...kinds: readonly FileKind[]): string[] {
    const ids = this.facts.flatMap((fact, index) => {
      if (!kinds.includes(fact.format.kind) || fact.format.kind === 'sentiment') return [];
      const venue = this.options.files[index]?.venue ?? venueOf(fact.path, fact.format.kind);
      return fact.symbols.flatMap((symbol) => this.instrumentOf(venue, symbol));
    });
    return [...new Set(ids)];
  }

  /** The instrument of a symbol; none when rows of that symbol are refused. */
  private instrumentOf(venue: string, symbol: string): string[] {
    try {
      return [this.options.resolve(venue, symbol).instrument];
    } catch (error) {
      refusalOf(error);
      return [];
    }
  }

  /** Time of the first row of all files, ms. */
  get startsAt(): number {
    return Math.max(this.options.from ?? 0, Math.min(...this.facts.map((fact) => fact.firstAt)));
  }

  get rows(): number {
    return this.facts.reduce((sum, fact) => sum + fact.rows, 0);
  }

  get reports(): LaneReport[] {
    return this.lanes.map((lane) => lane.report);
  }

  async nextBatch(): Promise<readonly AnyEvent[] | null> {
    const batch: AnyEvent[] = [];
    while (batch.length < BATCH) {
      const event = await this.nextEvent();
      if (!event) break;
      if (event.occurredAt < (this.options.from ?? 0)) continue;
      if (event.occurredAt >= (this.options.to ?? Number.POSITIVE_INFINITY)) break;
      batch.push(event);
    }
    return batch.length === 0 ? null : batch;
  }

  private async nextEvent(): Promise<AnyEvent | null> {
    if (!this.isStarted) {
      this.isStarted = true;
      for (const lane of this.lanes) this.heads.push(await lane.take());
    }
    let best = -1;
    for (let index = 0; index < this.heads.length; index += 1) {
      if (this.heads[index] && (best < 0 || this.isBefore(index, best))) best = index;
    }
    const head = this.heads[best];
    const lane = this.lanes[best];
    if (!head || !lane) return null;
    this.heads[best] = await lane.take();
    return head.event;
  }

  private isBefore(a: number, b: number): boolean {
    const [one, other] = [this.heads[a], this.heads[b]];
    if (!one || !other) return one !== null;
    if (one.event.occurredAt !== other.event.occurredAt) return one.event.occurredAt < other.event.occurredAt;
    if (one.phase !== other.phase) return one.phase < other.phase;
    const [nameA, nameB] = [this.order[a] ?? '', this.order[b] ?? ''];
    if (nameA !== nameB) return nameA < nameB;
    return one.position < other.position;
  }
}
