import { basename } from 'node:path';
import { createHash } from 'node:crypto';
import type { AnyEvent } from '@moon/events';
import type { InputSource } from '@moon/kernel';
import { FileLane, type LaneEvent, type LaneReport } from './file-lane';
import { PHASE, type FileKind, type MinuteVolume, type ResolveInstrument } from './formats';
import { RepeatWatch } from './repeat-watch';
import { inspectFile, refusalOf, type BadRow, type FileFacts } from './row-reader';

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

const BATCH = 1_000;

/** Several files merged into one recorded order: by (occurredAt, phase, source, position in file), rule 1. */
export class MarketFileSource implements InputSource {
  private hasEnded = false;
  private readonly volume: MinuteVolume;
  private readonly repeats = new RepeatWatch();

  private constructor(
    readonly facts: readonly FileFacts[],
    private readonly lanes: readonly FileLane[],
    /** What orders files that have an event at the same instant. */
    private readonly order: readonly string[],
    private readonly options: MarketFileOptions,
    private readonly onBad: (bad: BadRow) => void,
    /** Rows that were refused, by reason, and conflicts. */
    readonly refusedByReason: Readonly<Record<string, number>>,
  ) {
    this.volume = options.minuteVolume();
  }

  static async open(options: MarketFileOptions): Promise<MarketFileSource> {
    const facts: FileFacts[] = [];
    for (const file of options.files) facts.push(await inspectFile(file.path));
    const refused: Record<string, number> = {};
    const onBad = (bad: BadRow): void => {
      refused[bad.rule] = (refused[bad.rule] ?? 0) + 1;
      options.onBad?.(bad);
    };
    const lanes = facts.map((fact, index) => {
      const file = options.files[index];
      const venue = file?.venue ?? venueOf(fact.path, fact.format.kind);
      const stampsClose = file?.stampsClose ?? venue === 'FTX';
      const hasQuoteVolume = file?.hasQuoteVolume ?? venue === 'FTX';
      const resolve = remembering(options.resolve);
      const context = { venue, resolve, intervalMs: fact.intervalMs ?? 60_000, stampsClose, hasQuoteVolume };
      return new FileLane(fact, context, onBad, options.headers);
    });
    const order = facts.map((fact) => `${fact.format.kind}/${basename(fact.path)}`);
    return new MarketFileSource(facts, lanes, order, options, onBad, refused);
  }

  /** One hash over the contents of all files and the chosen range: what a run on them is known by. */
  get fingerprint(): string {
    const hash = createHash('sha256');
    for (const fact of this.facts) hash.update(`${fact.format.kind}:${fact.sha256}\n`);
    hash.update(`${this.options.from ?? ''}..${this.options.to ?? ''}+${this.options.warmupMs ?? 0}`);
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

  /** From here on events before the range are given as warm-up (rule 7), ms. */
  private get warmupFrom(): number {
    const { from, warmupMs = 0 } = this.options;
    return from === undefined ? 0 : from - warmupMs;
  }

  /** Time of the first event of all files, ms; 0 when they have no usable row. */
  get startsAt(): number {
    const firsts = this.facts.map(
      (fact, index) => fact.firstAt - (this.stampsClose(index) ? (fact.intervalMs ?? 60_000) : 0),
    );
    const first = Math.min(...firsts);
    return Number.isFinite(first) ? Math.max(this.warmupFrom, first) : this.warmupFrom;
  }

  get rows(): number {
    return this.facts.reduce((sum, fact) => sum + fact.rows, 0);
  }

  /** What became of the rows that were read so far. */
  get reports(): LaneReport[] {
    return this.lanes.map((lane) => lane.report);
  }

  async nextBatch(): Promise<readonly AnyEvent[] | null> {
    const batch: AnyEvent[] = [];
    while (batch.length < BATCH && !this.hasEnded) {
      for (const lane of this.lanes) if (lane.head === undefined) await lane.load();
      this.merge(batch);
    }
    return batch.length === 0 ? null : batch;
  }

  /** Takes events in their order until the batch is full, a file has to be read on, or everything has ended. */
  private merge(batch: AnyEvent[]): void {
    const { from = 0, to = Number.POSITIVE_INFINITY } = this.options;
    const open = this.lanes.filter((lane) => lane.head !== undefined);
    while (batch.length < BATCH) {
      const lane = this.first(open);
      const head = lane?.head;
      if (lane === undefined || head === undefined || head.event.occurredAt >= to) {
        this.hasEnded = true;
        return;
      }
      lane.shift();
      if (this.isNew(lane, head)) {
        this.countVolume(head);
        if (head.event.occurredAt >= from) {
          lane.report.events += 1;
          batch.push(head.event);
        } else {
          lane.report.outside += 1;
          if (head.event.occurredAt >= this.warmupFrom) batch.push(asWarmup(head.event));
        }
      }
      if (lane.head === undefined) return;
    }
  }

  private first(open: readonly FileLane[]): FileLane | undefined {
    let best = open[0];
    for (let index = 1; index < open.length; index += 1) {
      const lane = open[index];
      if (lane && best && this.isBefore(lane, best)) best = lane;
    }
    return best;
  }

  private isBefore(a: FileLane, b: FileLane): boolean {
    const [one, other] = [a.head, b.head];
    if (!one || !other) return one !== undefined;
    if (one.event.occurredAt !== other.event.occurredAt) return one.event.occurredAt < other.event.occurredAt;
    if (one.phase !== other.phase) return one.phase < other.phase;
    return (this.order[this.lanes.indexOf(a)] ?? '') < (this.order[this.lanes.indexOf(b)] ?? '');
  }

  /** False for what another file has said before: counted with the row that it is of. */
  private isNew(lane: FileLane, { event, phase, line }: LaneEvent): boolean {
    if (this.lanes.length === 1) return true;
    const found = this.repeats.look(event);
    if (found === 'new') return true;
    // A candle's row is told by its close alone.
    if (phase === PHASE.barOpened) return false;
    if (found === 'repeat') lane.report.repeats += 1;
    else {
      lane.report.conflicts += 1;
      const message = `another file has other values for ${event.type} of ${event.key} at ${event.occurredAt}`;
      this.onBad({ file: lane.report.file, line, rule: 'conflict', message });
    }
    return false;
  }

  private countVolume({ event, quote }: LaneEvent): void {
    if (event.type === 'price.tick' && quote !== undefined) {
      event.data.volume_1m = this.volume(event.data.instrument, event.occurredAt, quote);
    }
  }

  private stampsClose(index: number): boolean {
    const [file, fact] = [this.options.files[index], this.facts[index]];
    if (!file || !fact || fact.format.kind !== 'candles') return false;
    return file.stampsClose ?? (file.venue ?? venueOf(file.path, 'candles')) === 'FTX';
  }
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

/** The same event as part of the warm-up: what follows from it is dropped. */
function asWarmup(event: AnyEvent): AnyEvent {
  return { ...event, headers: { ...event.headers, warmup: true } } as AnyEvent;
}
