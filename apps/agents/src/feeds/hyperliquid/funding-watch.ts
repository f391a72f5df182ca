import type { AnyEvent } from '@moon/events';
import type { Clock } from '@moon/kernel';
import type { Speaker } from '../feed-event';
import { MessageRefused } from './fields';
import { InfoUnavailable, type InfoClient } from './info-client';
import type { RefusePart } from './parse';
import { parseFundingHistory } from './parse-info';
import type { Translator } from './translate';

const HOUR = 3_600_000;
/** The venue needs a moment to write down a settlement; then it is asked again at this distance. */
const FIRST_ASK_MS = 5_000;
const ASK_AGAIN_MS = 20_000;
const MAX_ASKS = 15;

export interface FundingWatchOptions {
  info: InfoClient;
  translator: Translator;
  clock: Clock;
  coins: readonly string[];
  live: Speaker;
  refusePart: RefusePart;
  emit: (event: AnyEvent) => void;
}

/** Asks for the settled rate after every full hour, and for those that were missed. */
export class FundingWatch {
  /** Hour (ms) of the newest settled rate by coin. */
  private readonly settled = new Map<string, number>();
  private readonly asking = new Set<string>();
  private cancelTimer: (() => void) | null = null;
  private asks = 0;

  constructor(private readonly options: FundingWatchOptions) {}

  /** Rates in the history are not said again. */
  knownUntil(past: readonly AnyEvent[]): void {
    for (const { type, data } of past) {
      if (type !== 'funding.update') continue;
      const coin = this.options.coins.find((one) => this.options.translator.instrument(one).id === data.instrument);
      if (coin !== undefined) this.note(coin, data.settlesAt);
    }
  }

  start(): void {
    const now = this.options.clock.now();
    const lastHour = Math.floor(now / HOUR) * HOUR;
    for (const coin of this.options.coins) if (!this.settled.has(coin)) this.settled.set(coin, lastHour);
    this.poll();
  }

  stop(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
  }

  /** Asks now for every coin whose newest rate is of an hour before the present one. */
  poll(): void {
    const lastHour = Math.floor(this.options.clock.now() / HOUR) * HOUR;
    const behind = this.options.coins.filter((coin) => (this.settled.get(coin) ?? 0) < lastHour);
    for (const coin of behind) void this.ask(coin);
    this.asks = behind.length === 0 ? 0 : this.asks + 1;
    const isWaiting = behind.length > 0 && this.asks < MAX_ASKS;
    this.arm(isWaiting ? this.options.clock.now() + ASK_AGAIN_MS : lastHour + HOUR + FIRST_ASK_MS);
  }

  private arm(at: number): void {
    this.stop();
    this.cancelTimer = this.options.clock.at(at, () => {
      if (at % HOUR === FIRST_ASK_MS) this.asks = 0;
      this.poll();
    });
  }

  private async ask(coin: string): Promise<void> {
    if (this.asking.has(coin)) return;
    this.asking.add(coin);
    const { info, translator, live, refusePart, emit } = this.options;
    const since = this.settled.get(coin) ?? 0;
    try {
      const rates = parseFundingHistory(await info.fundingHistory(coin, since + 1), refusePart);
      const fresh = rates.filter(({ time }) => Math.floor(time / HOUR) * HOUR > since);
      for (const event of translator.settled(coin, fresh, live)) {
        if (event.type === 'funding.update') this.note(coin, event.data.settlesAt);
        emit(event);
      }
    } catch (error) {
      if (!(error instanceof InfoUnavailable) && !(error instanceof MessageRefused)) throw error;
      const reason = error instanceof MessageRefused ? error : new MessageRefused('no_answer', error.message);
      refusePart(reason, coin);
    } finally {
      this.asking.delete(coin);
    }
  }

  private note(coin: string, hour: number): void {
    this.settled.set(coin, Math.max(this.settled.get(coin) ?? 0, hour));
  }
}
