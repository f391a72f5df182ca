import type { AnyEvent } from '@moon/events';
import type { Clock, Feed, FeedSink, FeedState, FeedStatus } from '@moon/kernel';
import { completeFeedConfig } from '../complete-config';
import { feedEvent, type Speaker } from '../feed-event';
import { hyperliquidFeedConfigSchema, type HyperliquidFeedConfig } from './config';
import { MessageRefused } from './fields';
import { FundingWatch } from './funding-watch';
import { GapFiller } from './gap';
import { InfoClient } from './info-client';
import { parseMessage, type VenueMessage } from './parse';
import { Refusals } from './refusals';
import { ReconnectingSocket } from './socket';
import { Translator } from './translate';
import { readPast } from './warmup';

const NAME = 'hyperliquid';
const LIVE: Speaker = { source: `feed/${NAME}`, headers: { mode: 'live' } };
const PAST: Speaker = { source: `feed/${NAME}`, headers: { mode: 'live', warmup: true } };
const MINUTE = 60_000;
/** A candle is asked for this long after its end: the venue has it then. */
const CANDLE_DELAY_MS = 3_000;

export interface HyperliquidFeedOptions {
  config?: Partial<HyperliquidFeedConfig>;
  clock: Clock;
  /** 0 ≤ random() < 1, for the jitter of reconnections only. */
  random: () => number;
}

/** HyperLiquid's public market data: trades, best prices, mark and oracle, funding. */
export class HyperliquidFeed implements Feed {
  readonly name = NAME;
  readonly mode = 'live';
  private readonly config: HyperliquidFeedConfig;
  private readonly clock: Clock;
  private readonly refusals = new Refusals();
  private readonly translator: Translator;
  private readonly info: InfoClient;
  private readonly gaps: GapFiller;
  private readonly funding: FundingWatch;
  private readonly socket: ReconnectingSocket;
  private readonly timers = new Map<string, () => void>();
  private readonly counts = { events: 0, reconnects: 0, gaps: 0 };
  private sink: FeedSink | null = null;
  private state: FeedState = 'idle';
  private isUp = false;
  private detail = 'not started';
  private lastEventAt: number | null = null;
  /** End of the history that was handed out, ms; null without one, and once what followed it is filled in. */
  private pastUntil: number | null = null;
  private heardAt: number | null = null;
  private lost: { at: number; reason: string } | null = null;
  /** Messages that wait until a gap is filled, so that what happened first is said first. */
  private held: VenueMessage[] | null = null;
  private spool: AnyEvent[] = [];
  private readonly confirmed = new Set<string>();

  constructor(options: HyperliquidFeedOptions) {
    this.config = completeFeedConfig(NAME, hyperliquidFeedConfigSchema, options.config ?? {});
    this.clock = options.clock;
    this.translator = new Translator(this.config, LIVE, (reason, message, part) =>
      this.refusals.add(reason, message, part),
    );
    this.info = new InfoClient(this.config.restUrl, this.config.requestTimeoutMs);
    const { info, translator } = this;
    const refusePart = (error: MessageRefused, part: unknown): void =>
      this.refusals.add(error.reason, error.message, part);
    const shared = { info, translator, refusePart, live: LIVE, past: PAST, now: () => this.clock.now() };
    this.gaps = new GapFiller(shared);
    this.funding = new FundingWatch({
      ...shared,
      clock: this.clock,
      coins: this.config.coins,
      emit: (event) => this.emit(event),
    });
    const { wsUrl: url, coins: _, ...times } = this.config;
    this.socket = new ReconnectingSocket(
      { url, ...times, clock: this.clock, random: options.random },
      {
        up: () => this.up(),
        down: (reason, retryMs) => this.down(reason, retryMs),
        text: (content) => this.heard(content),
        binary: (bytes) => this.refusals.add('binary', `a frame of ${bytes} bytes is no text`, ''),
      },
    );
  }

  instruments(): string[] {
    return this.config.coins.map((coin) => this.translator.instrument(coin).id);
  }

  async warmup(now: number): Promise<AnyEvent[]> {
    const { info, translator, config } = this;
    const refusePart = (error: MessageRefused, part: unknown): void =>
      this.refusals.add(error.reason, error.message, part);
    const past = await readPast({ info, translator, config, now, speaker: PAST, refusePart });
    this.pastUntil = Math.floor(now / MINUTE) * MINUTE;
    this.funding.knownUntil(past);
    return past;
  }

  start(sink: FeedSink): Promise<void> {
    if (this.sink !== null) throw new Error('The HyperLiquid feed was started already; make a new one for a new run.');
    this.sink = sink;
    this.refusals.attach(sink);
    this.state = 'connecting';
    this.detail = `connecting to ${this.config.wsUrl}`;
    this.socket.connect();
    this.funding.start();
    return Promise.resolve();
  }

  pause(): void {
    if (this.state === 'connecting' || this.state === 'connected') this.state = 'paused';
  }

  resume(): void {
    if (this.state !== 'paused') return;
    this.state = this.isUp ? 'connected' : 'connecting';
    for (const event of this.spool.splice(0)) this.emit(event);
    this.socket.connect();
    this.funding.start();
  }

  stop(): Promise<void> {
    this.state = 'stopped';
    this.detail = 'stopped';
    this.letGo();
    return Promise.resolve();
  }

  status(): FeedStatus {
    const { name, mode, state, lastEventAt } = this;
    const subscriptions = `${this.confirmed.size} of ${this.subscriptions().length} subscriptions confirmed`;
    const detail = state === 'connected' ? `${this.detail}, ${subscriptions}` : this.detail;
    const { byReason: refusedByReason } = this.refusals;
    return {
      name,
      mode,
      state,
      detail,
      ...this.counts,
      refusedByReason,
      repeats: this.translator.repeats,
      lastEventAt,
    };
  }

  private subscriptions(): { type: string; coin: string }[] {
    const { book, coins } = this.config;
    const types = ['trades', ...(book === 'none' ? [] : [book]), 'activeAssetCtx'];
    return coins.flatMap((coin) => types.map((type) => ({ type, coin })));
  }

  private up(): void {
    this.isUp = true;
    if (this.state !== 'paused') this.state = 'connected';
    this.confirmed.clear();
    this.translator.forget();
    for (const subscription of this.subscriptions()) this.socket.send({ method: 'subscribe', subscription });
    this.detail = `connected to ${this.config.wsUrl} for ${this.config.coins.join(', ')}`;
    this.say('connected', this.detail);
    if (this.lost !== null) {
      this.counts.reconnects += 1;
      void this.fillGap(this.lost);
    } else if (this.pastUntil !== null) {
      const firstWhole = Math.ceil(this.clock.now() / MINUTE) * MINUTE;
      this.later('bridge', firstWhole + CANDLE_DELAY_MS, () => void this.bridge(firstWhole));
    }
  }

  private down(reason: string, retryMs: number): void {
    const { wsUrl } = this.config;
    this.detail = `no connection to ${wsUrl}: ${reason}; next attempt in ${(retryMs / 1_000).toFixed(1)} s`;
    if (this.isUp) this.loseAt(reason);
    if (this.state === 'connected') this.state = 'connecting';
  }

  private loseAt(reason: string): void {
    this.isUp = false;
    this.lost = { at: this.heardAt ?? this.clock.now(), reason };
    this.say('disconnected', reason);
  }

  private heard(content: string): void {
    this.heardAt = this.clock.now();
    try {
      const message = parseMessage(content, (error, part) => this.refusals.add(error.reason, error.message, part));
      if (this.held !== null && message.kind !== 'subscribed') this.held.push(message);
      else this.take(message);
    } catch (error) {
      if (!(error instanceof MessageRefused)) throw error;
      this.refusals.add(error.reason, error.message, content);
    }
  }

  private take(message: VenueMessage): void {
    const now = this.clock.now();
    switch (message.kind) {
      case 'trades':
        return this.emitAll(this.translator.trades(message.trades, now));
      case 'book':
        this.emitAll(this.translator.book(message.book, now));
        return this.armSayings();
      case 'context':
        this.emitAll(this.translator.context(message.context, now));
        return this.armSayings();
      case 'subscribed':
        this.confirmed.add(message.subscription);
        return;
      case 'pong':
      case 'greeting':
        return;
    }
  }

  /** Fills what was lost while the connection was down; what comes in meanwhile waits. */
  private async fillGap({ at, reason }: { at: number; reason: string }): Promise<void> {
    this.lost = null;
    this.held ??= [];
    const gap = { fromMs: at, toMs: this.clock.now(), reason };
    const recovered = await Promise.all(this.config.coins.map((coin) => this.gaps.fill(coin, gap)));
    this.counts.gaps += 1;
    const events = recovered.flat();
    this.emitAll(events.filter((event) => event.headers?.warmup === true).sort((a, b) => a.occurredAt - b.occurredAt));
    this.emitAll(events.filter((event) => event.headers?.warmup !== true).sort((a, b) => a.occurredAt - b.occurredAt));
    this.funding.poll();
    this.release();
  }

  private release(): void {
    const held = this.held ?? [];
    this.held = null;
    for (const message of held) {
      try {
        this.take(message);
      } catch (error) {
        if (!(error instanceof MessageRefused)) throw error;
        this.refusals.add(error.reason, error.message, message);
      }
    }
  }

  /** Bars between the history and the first minute that is heard from its beginning. */
  private async bridge(until: number): Promise<void> {
    const from = this.pastUntil;
    this.pastUntil = null;
    if (from === null || from >= until) return;
    const gap = { fromMs: from, toMs: until, reason: 'between the history and the first whole minute' };
    const bars = await Promise.all(this.config.coins.map((coin) => this.gaps.bridge(coin, gap)));
    this.emitAll(bars.flat().sort((a, b) => a.occurredAt - b.occurredAt));
  }

  private armSayings(): void {
    const next = this.translator.nextAt();
    if (next === null || this.timers.has('sayings')) return;
    this.later('sayings', next, () => {
      this.emitAll(this.translator.due(this.clock.now()));
      this.armSayings();
    });
  }

  private say(status: 'connected' | 'disconnected', detail: string): void {
    const timestamp = this.clock.now();
    const data = { feed: NAME, status, detail: detail.slice(0, 1_000), timestamp };
    const identity = { source: 'HYPERLIQUID', kind: 'feed.status', instrument: '', values: [status, detail] };
    this.emit(feedEvent(LIVE, 'feed.status', data, identity));
  }

  private emitAll(events: readonly AnyEvent[]): void {
    for (const event of events) this.emit(event);
  }

  private emit(event: AnyEvent): void {
    if (this.state === 'stopped' || this.sink === null) return;
    if (this.state === 'paused') {
      this.spool.push(event);
      if (this.spool.length > this.config.spoolEvents) this.overflow();
      return;
    }
    if (!this.sink.submit(event)) {
      void this.stop();
      return;
    }
    if (event.headers?.warmup) return;
    this.counts.events += 1;
    if (event.type !== 'feed.status' && event.type !== 'feed.gap') this.lastEventAt = event.occurredAt;
  }

  /** Nobody takes events and no more can be kept: the connection is let go, and what is missed is a gap. */
  private overflow(): void {
    if (!this.isUp) return;
    this.letGo();
    this.detail = `held back: ${this.spool.length} events wait`;
    this.loseAt(this.detail);
  }

  private letGo(): void {
    this.socket.close();
    this.funding.stop();
    for (const cancel of this.timers.values()) cancel();
    this.timers.clear();
  }

  private later(name: string, at: number, callback: () => void): void {
    this.timers.get(name)?.();
    const cancel = this.clock.at(at, () => {
      this.timers.delete(name);
      callback();
    });
    this.timers.set(name, cancel);
  }
}
