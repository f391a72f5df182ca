import type { AnyEvent } from '@moon/events';
import { canonicalJson } from '../core/canonical-json';
import { eventVersion, streamVersion, type CacheUpdate } from '../ports/projection-cache';
import { PortfolioSeries } from './portfolio-series';
import { factsOf, type ProjectionInput, type StreamView, type View } from './projection';
import { registerKey } from './registers';
import { STREAM_VIEWS } from './streams';

/** A stream of which an event is missing before others that are here already (rule 27). */
export interface ProjectionGap {
  /** `state.changed` of a portfolio count themselves without being a stream of the store: `state-PORTFOLIO`. */
  streamId: string;
  /** The last version that was folded. */
  after: number;
}

/** A stream that could not be folded on: what is shown of it stays as it was (rule 25). */
export interface ParkedProjection {
  streamId: string;
  version: number;
  error: string;
}

export interface ProjectorOptions {
  /** Told when a stream is parked. */
  onParked?: (parked: ParkedProjection) => void;
}

/** A stream and what is folded of it. */
interface Folded {
  version: number;
  /** One for each view that reads it. */
  views: { view: StreamView; state: unknown }[];
  /** Events that are ahead of a missing one, by version. */
  ahead: Map<number, AnyEvent>;
  isParked: boolean;
}

type Newest = { event: AnyEvent; version: null } | { view: View; version: string };

export const STATE_SERIES = 'state-';

/**
 * Folds events to what readers find in the cache: views with the version that each stands for. Pure: the same events give
 * the same keys, versions and bytes, in whatever order streams and partitions are interleaved, whatever comes twice (SYS-4).
 *
 * Streams are folded by version, gaps are held; of what is only published, the newest by time and id is shown (ADR 0031).
 */
export class Projector {
  private readonly streams = new Map<string, Folded>();
  private readonly series = new Map<string, PortfolioSeries>();
  private readonly newest = new Map<string, Newest>();
  private readonly stuck = new Map<string, ParkedProjection>();

  constructor(private readonly options: ProjectorOptions = {}) {}

  /** Takes one event and returns the keys that are shown anew. */
  apply({ event, streamId, version }: ProjectionInput): readonly string[] {
    const key = registerKey(event);
    if (key !== null) return this.register(key, event);
    if (event.type === 'state.changed') return this.changed(event);
    if (event.type === 'state.snapshot') return this.snapshot(event);
    return streamId === undefined || version === undefined ? NOTHING : this.advance(streamId, version, event);
  }

  /** As `apply`, with what is to be written. */
  fold(input: ProjectionInput): CacheUpdate[] {
    return this.apply(input).map((key) => this.entry(key));
  }

  /** All that it shows, as it would be written. */
  *entries(): Iterable<CacheUpdate> {
    for (const key of this.newest.keys()) yield this.entry(key);
  }

  get size(): number {
    return this.newest.size;
  }

  /**
   * To be called when the log was read to its end: deltas that are missing at its beginning were dropped by retention, and
   * portfolios begin with a snapshot. Returns the keys that are shown anew.
   */
  settle(): string[] {
    return [...this.series.values()].flatMap((series) => (series.settle() ? this.showPortfolio(series) : []));
  }

  /** What is held because something before it is missing; whoever feeds the projector gets it from the store. */
  gaps(): ProjectionGap[] {
    const found: ProjectionGap[] = [];
    for (const [streamId, { version, ahead, isParked }] of this.streams)
      if (ahead.size > 0 && !isParked) found.push({ streamId, after: version });
    for (const [portfolio, series] of this.series)
      if (series.hasGap) found.push({ streamId: STATE_SERIES + portfolio, after: series.version });
    return found;
  }

  parked(): ParkedProjection[] {
    return [...this.stuck.values()];
  }

  private register(key: string, event: AnyEvent): readonly string[] {
    const known = this.newest.get(key);
    if (known?.version === null && !isLater(event, known.event)) return NOTHING;
    this.newest.set(key, { event, version: null });
    return [key];
  }

  private advance(streamId: string, version: number, event: AnyEvent): readonly string[] {
    const stream = this.streams.get(streamId) ?? this.begin(streamId);
    if (stream.views.length === 0 || stream.isParked || version <= stream.version) return NOTHING;
    if (version > stream.version + 1) {
      stream.ahead.set(version, event);
      return NOTHING;
    }
    const keys = new Set<string>();
    this.step(streamId, stream, event, keys);
    for (let next = stream.ahead.get(stream.version + 1); next && !stream.isParked;) {
      stream.ahead.delete(stream.version + 1);
      this.step(streamId, stream, next, keys);
      next = stream.ahead.get(stream.version + 1);
    }
    return [...keys];
  }

  private begin(streamId: string): Folded {
    const views = STREAM_VIEWS.filter((view) => view.reads(streamId)).map((view) => ({ view, state: undefined }));
    const stream: Folded = { version: 0, views, ahead: new Map(), isParked: false };
    this.streams.set(streamId, stream);
    return stream;
  }

  private step(streamId: string, stream: Folded, event: AnyEvent, keys: Set<string>): void {
    try {
      const states = stream.views.map(({ view, state }) => view.evolve(state, event));
      stream.version += 1;
      for (const [index, entry] of stream.views.entries()) {
        const state = states[index];
        if (state === entry.state || state === undefined) continue;
        entry.state = state;
        const view = entry.view.show(state, streamId);
        if (view === null) continue;
        this.newest.set(view.key, { view, version: streamVersion(stream.version) });
        keys.add(view.key);
      }
    } catch (error) {
      this.park(streamId, stream, error);
      keys.add(`parked:${streamId}`);
    }
  }

  /** Readers find under `parked:STREAM` that what is shown of the stream is stale, and why. */
  private park(streamId: string, stream: Folded, error: unknown): void {
    stream.isParked = true;
    stream.ahead.clear();
    const version = stream.version + 1;
    const parked = { streamId, version, error: error instanceof Error ? error.message : String(error) };
    this.stuck.set(streamId, parked);
    const key = `parked:${streamId}`;
    this.newest.set(key, { view: { key, value: { ...parked } }, version: streamVersion(version) });
    this.options.onParked?.(parked);
  }

  private changed(event: Extract<AnyEvent, { type: 'state.changed' }>): readonly string[] {
    const series = this.seriesOf(event.data.portfolio);
    return series.change(event) ? this.showPortfolio(series) : NOTHING;
  }

  private snapshot(event: Extract<AnyEvent, { type: 'state.snapshot' }>): readonly string[] {
    this.seriesOf(event.data.portfolio).seed(event);
    return NOTHING;
  }

  private seriesOf(portfolio: string): PortfolioSeries {
    const known = this.series.get(portfolio);
    if (known) return known;
    const made = new PortfolioSeries(portfolio);
    this.series.set(portfolio, made);
    return made;
  }

  private showPortfolio(series: PortfolioSeries): readonly string[] {
    const key = `portfolio:${series.portfolio}`;
    this.newest.set(key, { view: { key, value: series.show() }, version: streamVersion(series.version) });
    return [key];
  }

  /** @throws RangeError nothing is shown under this key */
  entry(key: string): CacheUpdate {
    const found = this.find(key);
    if (!found) throw new RangeError(`The projections show nothing under "${key}".`);
    return found;
  }

  /** null = nothing is shown under this key. */
  find(key: string): CacheUpdate | null {
    const newest = this.newest.get(key);
    if (!newest) return null;
    return newest.version === null
      ? { key, version: eventVersion(newest.event), value: canonicalJson(factsOf(newest.event)) }
      : { key, version: newest.version, value: canonicalJson(newest.view.value) };
  }
}

const NOTHING: readonly string[] = [];

/** As `eventVersion` orders them, without making texts. */
const isLater = (a: AnyEvent, b: AnyEvent): boolean =>
  a.occurredAt > b.occurredAt || (a.occurredAt === b.occurredAt && a.id > b.id);
