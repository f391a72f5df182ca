import { basename } from 'node:path';
import { createHash } from 'node:crypto';
import type { AnyEvent, EventData } from '@moon/events';
import type { InputSource } from '@moon/kernel';
import { FileLane, type LaneReport } from './file-lane';
import type { FileKind, FormatContext, MinuteVolume, ResolveInstrument } from './formats';
import { overlapping, type ReadFile } from './overlaps';
import { asEvents, type RecordedInput } from './recorded-input';
import { RepeatWatch } from './repeat-watch';
import { refusalOf, type BadRow } from './row-reader';
import { inspectFile, type FileFacts } from './survey';

/** A file to read; the venue is told by its name when it is not given. */
export interface MarketFile {
  path: string;
  venue?: string;
  /** Candles are stamped with their close; default: by venue (FTX). */
  stampsClose?: boolean;
  /** Candles have their volume in quote currency; it is put into base asset at (high + low + close) ÷ 3. Default: by venue (FTX). */
  hasQuoteVolume?: boolean;
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
  /** `ohlc`: each candle becomes four ticks, at its open, high, low and close, instead of a bar (rule 12). */
  ticks?: 'ohlc';
  /** How much of the data before `from` is given too, marked as warm-up: agents then have views at the start. Default: none. */
  warmupMs?: number;
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
  if (kind === 'sentiment') return 'SENTIMENT';
  if (kind === 'funding' || kind === 'liquidations') return 'BINANCE-USDM';
  const name = basename(path);
  return VENUE_WORDS.find(([word]) => word.test(name))?.[1] ?? 'BINANCE-SPOT';
}

/** Inputs of a batch: few enough that they die young (see `ROWS_AT_ONCE`). */
const BATCH = 128;

/** Several files merged into one recorded order: by (occurredAt, phase, source, position in file), rule 1. */
export class MarketFileSource implements InputSource {
  private hasEnded = false;
  private readonly volume: MinuteVolume;
  private readonly repeats = new RepeatWatch();

  private readonly from: number;
  private readonly warmupHeaders: AnyEvent['headers'];

  private constructor(
    private readonly files: readonly ReadFile[],
    private readonly lanes: readonly WatchedLane[],
    private readonly options: MarketFileOptions,
    private readonly onBad: (bad: BadRow) => void,
    /** Rows that were refused, by reason, and conflicts. */
    readonly refusedByReason: Readonly<Record<string, number>>,
  ) {
    this.volume = options.minuteVolume();
    this.from = options.from ?? 0;
    this.warmupHeaders = { ...options.headers, warmup: true };
  }

  static async open(options: MarketFileOptions): Promise<MarketFileSource> {
    const files: ReadFile[] = [];
    for (const file of options.files) {
      const facts = await inspectFile(file.path);
      files.push({ facts, context: contextOf(file, facts, options) });
    }
    const refused: Record<string, number> = {};
    const onBad = (bad: BadRow): void => {
      refused[bad.rule] = (refused[bad.rule] ?? 0) + 1;
      options.onBad?.(bad);
    };
    const lanes = files.map((file, index): WatchedLane => {
      const { facts, context } = file;
      const isWatched = overlapping(file, files);
      const quotes = facts.format.kind === 'trades' || context.asTicks;
      const lane = new FileLane(facts, context, onBad, { lines: isWatched, quotes });
      return { lane, order: `${facts.format.kind}/${basename(facts.path)}`, index, isWatched };
    });
    return new MarketFileSource(files, lanes, options, onBad, refused);
  }

  /** What a first pass found out about each file. */
  get facts(): readonly FileFacts[] {
    return this.files.map(({ facts }) => facts);
  }

  /**
   * One hash over the contents of all files, how they are read and the chosen range: what a run on them is known by. What is
   * read is what was hashed: a file that changes meanwhile ends the reading with an error.
   */
  get fingerprint(): string {
    const hash = createHash('sha256');
    const { from = '', to = '', warmupMs = 0, ticks } = this.options;
    for (const { facts, context } of this.files) {
      hash.update(`${facts.format.kind}:${facts.sha256}:${context.origin.venue}`);
      if (facts.format.kind === 'candles') hash.update(`:${context.stampsClose}:${context.hasQuoteVolume}`);
      hash.update('\n');
    }
    hash.update(`${from}..${to}+${warmupMs}${ticks === undefined ? '' : `:${ticks}`}`);
    return hash.digest('hex');
  }

  /** Every instrument that the files price, in the order of its first row. */
  get instruments(): string[] {
    return this.instrumentsOf('candles', 'trades', 'funding', 'liquidations');
  }

  /** Instruments in the files of these kinds, in the order of their first rows. */
  instrumentsOf(...kinds: readonly FileKind[]): string[] {
    const ids = this.files.flatMap(({ facts, context }) => {
      if (!kinds.includes(facts.format.kind) || facts.format.kind === 'sentiment') return [];
      return facts.symbols.flatMap((symbol) => this.instrumentOf(context.origin.venue, symbol));
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

  /** From here on events before the range are given as warm-up (rule 7), ms. */
  private get warmupFrom(): number {
    const { from, warmupMs = 0 } = this.options;
    return from === undefined ? 0 : from - warmupMs;
  }

  /** Time of the first event of all files, ms; 0 when they have no usable row. */
  get startsAt(): number {
    const firsts = this.files.map(
      ({ facts, context }) => facts.firstAt - (context.stampsClose ? context.intervalMs : 0),
    );
    const first = Math.min(...firsts);
    return Number.isFinite(first) ? Math.max(this.warmupFrom, first) : this.warmupFrom;
  }

  get rows(): number {
    return this.facts.reduce((sum, fact) => sum + fact.rows, 0);
  }

  /** What became of the rows that were read so far. */
  get reports(): LaneReport[] {
    return this.lanes.map(({ lane }) => lane.report);
  }

  async nextBatch(): Promise<readonly AnyEvent[] | null> {
    const batch: RecordedInput[] = [];
    while (batch.length < BATCH && !this.hasEnded) {
      for (const { lane } of this.lanes) if (lane.head === undefined) await lane.load();
      this.merge(batch);
    }
    return batch.length === 0 ? null : asEvents(batch);
  }

  /** Takes inputs in their order until the batch is full, a file has to be read on, or everything has ended. */
  private merge(batch: RecordedInput[]): void {
    const { to = Number.POSITIVE_INFINITY } = this.options;
    const open = this.lanes.filter(({ lane }) => lane.head !== undefined);
    while (batch.length < BATCH) {
      const first = firstOf(open);
      if (first === undefined || first.lane.head!.occurredAt >= to) {
        this.hasEnded = true;
        return;
      }
      // One file often goes on for a while: only the one that comes next is compared with it.
      const next = open.length === 1 ? undefined : firstOf(open, first);
      do this.take(first, batch);
      while (batch.length < BATCH && isNext(first, next, to));
      if (first.lane.head === undefined) return;
    }
  }

  /** Takes the head of a lane. */
  private take({ lane, isWatched }: WatchedLane, batch: RecordedInput[]): void {
    const input = lane.head!;
    if (isWatched || input.type === 'price.tick') {
      const { headLine, headQuote } = lane;
      lane.shift();
      if (isWatched && !this.isNew(lane, input, headLine)) return;
      if (input.type === 'price.tick') this.countVolume(input, headQuote);
    } else lane.shift();
    if (input.occurredAt >= this.from) {
      lane.report.events += 1;
      batch.push(input);
    } else {
      lane.report.outside += 1;
      if (input.occurredAt >= this.warmupFrom) batch.push(input.withHeaders(this.warmupHeaders));
    }
  }

  /** False for what another file has said before: counted with the row that it is of. */
  private isNew(lane: FileLane, input: RecordedInput, line: number): boolean {
    const found = this.repeats.look(input);
    if (found === 'new') return true;
    if (!input.tellsRow) return false;
    if (found === 'repeat') lane.report.repeats += 1;
    else {
      lane.report.conflicts += 1;
      const message = `another file has other values for ${input.type} of ${input.key} at ${input.occurredAt}`;
      this.onBad({ file: lane.report.file, line, rule: 'conflict', message });
    }
    return false;
  }

  private countVolume({ data, occurredAt }: RecordedInput, quote: number): void {
    const tick = data as EventData<'price.tick'>;
    tick.volume_1m = this.volume(tick.instrument, occurredAt, quote);
  }
}

/** A lane among others. */
interface WatchedLane {
  lane: FileLane;
  /** What orders files that have an input at the same instant, then the place among the files given. */
  order: string;
  index: number;
  /** Another file may say the same. */
  isWatched: boolean;
}

/** The lane whose head comes first; all have one. */
function firstOf(open: readonly WatchedLane[], except?: WatchedLane): WatchedLane | undefined {
  let best: WatchedLane | undefined;
  for (const one of open) if (one !== except && (best === undefined || isBefore(one, best))) best = one;
  return best;
}

function isNext(lane: WatchedLane, other: WatchedLane | undefined, to: number): boolean {
  const head = lane.lane.head;
  if (head === undefined) return false;
  return other === undefined ? head.occurredAt < to : isBefore(lane, other) && head.occurredAt < to;
}

function isBefore(a: WatchedLane, b: WatchedLane): boolean {
  const [one, other] = [a.lane.head!, b.lane.head!];
  if (one.occurredAt !== other.occurredAt) return one.occurredAt < other.occurredAt;
  if (one.phase !== other.phase) return one.phase < other.phase;
  return a.order === b.order ? a.index < b.index : a.order < b.order;
}

function contextOf(file: MarketFile, facts: FileFacts, options: MarketFileOptions): FormatContext {
  const venue = file.venue ?? venueOf(facts.path, facts.format.kind);
  const isCandles = facts.format.kind === 'candles';
  return {
    origin: { venue, headers: options.headers },
    resolve: remembering(options.resolve),
    intervalMs: facts.intervalMs ?? 60_000,
    stampsClose: isCandles && (file.stampsClose ?? venue === 'FTX'),
    hasQuoteVolume: file.hasQuoteVolume ?? venue === 'FTX',
    asTicks: options.ticks === 'ohlc',
  };
}

/** Rows name few symbols, many times. */
function remembering(resolve: ResolveInstrument): ResolveInstrument {
  const known = new Map<string, ReturnType<ResolveInstrument>>();
  return (venue, symbol) => {
    let found = known.get(symbol);
    if (found === undefined) known.set(symbol, (found = resolve(venue, symbol)));
    return found;
  };
}
