import type { Clock, Feed, FeedSink, FeedState, FeedStatus } from '@moon/kernel';
import type { AnyEvent } from '@moon/events';
import { completeFeedConfig } from '../complete-config';
import { feedEvent, type Speaker } from '../feed-event';
import { syntheticFeedConfigSchema, type SyntheticFeedConfig } from './config';
import { SyntheticHistory } from './history';
import { basePrice, SyntheticMarket } from './market';
import { RegimePlan } from './regimes';
import type { SyntheticResume } from './resume';
import { SecondWriter } from './second';
import { tokenProfile, type TokenProfile } from './tokens';

const NAME = 'SYNTHETIC';
const LIVE: Speaker = { source: `feed/${NAME}`, headers: { mode: 'synthetic' } };
const PAST: Speaker = { source: `feed/${NAME}`, headers: { mode: 'synthetic', warmup: true } };
/** Seconds of feed time that are made before sockets and timers get their turn again. */
const SECONDS_A_TURN = 30;
/** Events are told when their time has come, as often as that at most, wall time, and once a second of feed time at least. */
const TELL_EVERY_WALL_MS = 20;
const SECOND = 1_000;

export interface SyntheticFeedOptions {
  config?: Partial<SyntheticFeedConfig>;
  /** The run's clock; its speed is the feed's. */
  clock: Clock;
  /** Where an earlier run stopped: the feed goes on from there as if it never had. */
  resume?: SyntheticResume | null;
  /** Called by `start`: the moment from which the clock may run. */
  onStart?: () => void;
}

/** A made-up market on the run's clock. Everything it says carries SYNTHETIC in its source. */
export class SyntheticFeed implements Feed {
  readonly name = NAME;
  readonly mode = 'synthetic';
  private readonly config: SyntheticFeedConfig;
  private readonly profiles: readonly TokenProfile[];
  private readonly writer: SecondWriter;
  private readonly history: SyntheticHistory;
  private readonly known: ReadonlySet<string>;
  /** The second that is made next; null before the market has a past. */
  private cursor: number | null = null;
  /** What the last second that was made still holds back, in the order of time. */
  private waiting: AnyEvent[] = [];
  /** Feed time between two times of telling, ms. */
  private readonly stepMs: number;
  private sink: FeedSink | null = null;
  private state: FeedState = 'idle';
  private cancelTimer: (() => void) | null = null;
  private readonly counts = { events: 0, gaps: 0 };
  private lastEventAt: number | null = null;

  constructor(private readonly options: SyntheticFeedOptions) {
    this.config = completeFeedConfig(NAME, syntheticFeedConfigSchema, options.config ?? {});
    this.profiles = this.config.instruments.map(tokenProfile);
    const { seed, speed } = this.config;
    this.stepMs = Math.max(1, Math.min(SECOND, Math.round(TELL_EVERY_WALL_MS * speed)));
    const resume = options.resume ?? null;
    const prices = resume
      ? { ...resume.prices }
      : Object.fromEntries(this.profiles.map((profile) => [profile.token, basePrice(seed, profile)]));
    const market = new SyntheticMarket(seed, new RegimePlan(seed), prices);
    this.writer = new SecondWriter(market, this.profiles, this.config);
    this.history = new SyntheticHistory(this.writer, seed, PAST);
    this.known = new Set(resume?.known);
    if (!resume) return;
    for (const { instrument, at, value } of resume.trades) this.writer.noteVolume(instrument, at, value);
    this.cursor = resume.second;
  }

  instruments(): string[] {
    return this.profiles.map((profile) => profile.instrument.id);
  }

  /** Bars, posts and funding of the hours before `now`. Nothing when the run goes on from a log: that has its past already. */
  warmup(now: number): Promise<AnyEvent[]> {
    if (this.cursor !== null) return Promise.resolve([]);
    return Promise.resolve(this.makePast(Math.floor(now / 1_000)));
  }

  start(sink: FeedSink): Promise<void> {
    if (this.sink !== null) throw new Error('The synthetic feed was started already; make a new one for a new run.');
    if (this.cursor === null) this.makePast(Math.floor(this.options.clock.now() / 1_000));
    this.options.onStart?.();
    const second = Math.floor(this.options.clock.now() / 1_000);
    this.sink = sink;
    this.state = 'connected';
    if (!this.options.resume) this.submitAll(this.getOver(second));
    const connected = { feed: NAME, status: 'connected' as const, detail: this.detail(), timestamp: second * 1_000 };
    this.submit(feedEvent(LIVE, 'feed.status', connected, this.identity('feed.status', ['connected'])));
    this.pump();
    return Promise.resolve();
  }

  pause(): void {
    if (this.state === 'connected') this.state = 'paused';
    this.disarm();
  }

  resume(): void {
    if (this.state !== 'paused') return;
    this.state = 'connected';
    this.pump();
  }

  stop(): Promise<void> {
    this.state = 'stopped';
    this.disarm();
    return Promise.resolve();
  }

  status(): FeedStatus {
    const { name, mode, state, lastEventAt } = this;
    const detail = this.detail();
    return { name, mode, state, detail, ...this.counts, refusedByReason: {}, repeats: 0, reconnects: 0, lastEventAt };
  }

  private detail(): string {
    const { seed, speed } = this.config;
    return `SYNTHETIC: made-up prices, no real market; seed ${seed}, ${speed} times real time`;
  }

  private makePast(second: number): AnyEvent[] {
    const minutes = Math.floor(second / 60) - Math.round(this.config.warmupHours * 60);
    this.cursor = second;
    return this.history.advance(minutes * 60, second);
  }

  /** Moves the market on to `second` without its ticks; the bars of that time are still to be heard. */
  private getOver(second: number): AnyEvent[] {
    const from = this.cursor ?? second;
    this.cursor = Math.max(from, second);
    return this.history.advance(from, this.cursor);
  }

  /** Tells what happened up to now. One turn makes a few seconds at most; the timer brings the next turn. */
  private pump(): void {
    this.disarm();
    if (this.state !== 'connected' || this.cursor === null) return;
    const now = Math.floor(this.options.clock.now() / this.stepMs) * this.stepMs;
    this.tell(now);
    if (now - this.cursor * SECOND > this.config.maxCatchUpMs) this.leap(Math.floor(now / SECOND));
    this.history.clear();
    for (let turn = 0; turn < SECONDS_A_TURN && this.cursor * SECOND <= now && this.isFree; turn += 1) {
      this.waiting = this.writer.live(this.cursor, LIVE).filter((event) => !this.known.has(event.id));
      this.cursor += 1;
      this.tell(now);
    }
    if (this.state !== 'connected') return;
    const nextAt = this.waiting[0]?.occurredAt ?? this.cursor * SECOND;
    this.cancelTimer = this.options.clock.at(Math.ceil(nextAt / this.stepMs) * this.stepMs, () => this.pump());
  }

  /** The next second may be made: of the one before, everything was told. */
  private get isFree(): boolean {
    return this.state === 'connected' && this.waiting.length === 0;
  }

  /** Submits what waits and has happened by `now`; what is not taken any more goes on waiting. */
  private tell(now: number): void {
    let told = 0;
    for (const event of this.waiting) {
      if (event.occurredAt > now || this.state !== 'connected') break;
      this.submit(event);
      told += 1;
    }
    this.waiting = this.waiting.slice(told);
  }

  /** Time that nobody listened to for too long: told as a gap, its bars filled in. */
  private leap(second: number): void {
    const fromMs = (this.cursor ?? second) * 1_000;
    const [toMs, timestamp] = [second * 1_000, second * 1_000];
    const reason = 'the clock ran on while the feed was held back: bars are filled in, ticks are not';
    this.submitAll(this.getOver(second));
    const gap = { feed: NAME, fromMs, toMs, filled: true, reason, timestamp };
    this.submit(feedEvent(LIVE, 'feed.gap', gap, this.identity('feed.gap', [fromMs, toMs])));
    this.counts.gaps += 1;
  }

  private submitAll(events: readonly AnyEvent[]): void {
    for (const event of events) this.submit(event);
  }

  private submit(event: AnyEvent): void {
    if (this.state === 'stopped' || this.sink === null) return;
    if (!this.sink.submit(event)) {
      this.state = 'stopped';
      return;
    }
    if (event.headers?.warmup) return;
    this.counts.events += 1;
    this.lastEventAt = event.occurredAt;
  }

  private identity(kind: string, values: readonly (string | number)[]) {
    return { source: `SYNTHETIC/${this.config.seed}`, kind, instrument: '', values };
  }

  private disarm(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
  }
}
