import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AgentsModule, FeedFactory } from '@moon/app-agents';
import { CATALOG, type AnyEvent } from '@moon/events';
import { KafkaPublisher, type KafkaSettings } from '@moon/infra';
import { RunningClock, type Feed } from '@moon/kernel';
import { waitFor } from './root';

/** Marks and oracle prices of one second of feed time, a token. */
const REFERENCES_A_SECOND_AND_TOKEN = 1 / 3 + 1 / 9;
const HIGH_WATER = 20_000;
const FASTEST_PACE = 600;
const RECENT = 500;

/** How a rate of ticks is reached: how fast feed time runs, per wall time, and how many trades a token has in a second of it. */
export interface Tempo {
  pace: number;
  tradesPerSecond: number;
}

/** @param rate ticks a second, wall time @param pace feed time per wall time; default: whatever gives the rate at one trade a second */
export function tempoFor(rate: number, tokens: number, pace?: number): Tempo {
  if (pace === undefined) {
    const needed = Math.round(rate / (tokens * (1 + REFERENCES_A_SECOND_AND_TOKEN)));
    return { pace: Math.min(FASTEST_PACE, Math.max(1, needed)), tradesPerSecond: 1 };
  }
  const trades = Math.round(rate / (tokens * pace) - REFERENCES_A_SECOND_AND_TOKEN);
  return { pace, tradesPerSecond: Math.max(1, trades) };
}

export interface LoadOptions {
  settings: KafkaSettings;
  tokens: readonly string[];
  seed: number;
  tempo: Tempo;
  /** Wall time, ms, at which feed time was wall time. */
  origin: number;
}

/** The market, published by the rig itself: it knows what the brokers have acknowledged, and in which order it was said. */
export class Load {
  /** Ids in the order of their publication, by topic and key; acknowledged ones only are promised. */
  readonly said = new Map<string, string[]>();
  readonly accepted = new Set<string>();
  /** The newest of them, for those who want to say them again. */
  readonly recent: AnyEvent[] = [];
  private readonly publisher: KafkaPublisher;
  private feed: Feed | null = null;
  private underWay = 0;
  private isHeld = false;
  private failure: Error | null = null;

  constructor(private readonly options: LoadOptions) {
    this.publisher = new KafkaPublisher({ settings: options.settings });
  }

  /** Wall time, ms, at which the market's clock shows a time. */
  wallOf(marketMs: number): number {
    const { origin, tempo } = this.options;
    return origin + (marketMs - origin) / tempo.pace;
  }

  /** History first, then the market as its clock runs. */
  async start(): Promise<void> {
    const { tokens, seed, tempo, origin } = this.options;
    const { pace } = tempo;
    const clock = new RunningClock(pace, origin + (Date.now() - origin) * pace);
    const nest = await NestFactory.createApplicationContext(AgentsModule, { logger: false, abortOnError: false });
    const chosen = await nest.get(FeedFactory).choose({ kind: 'synthetic', tokens, seed, ...tempo, clock });
    this.feed = chosen.feed;
    for (const event of await this.feed.warmup(clock.now())) void this.publish(event);
    await this.idle(120_000);
    await this.feed.start({
      submit: (event) => {
        void this.publish(event);
        return true;
      },
      refused: (_reason, message) => (this.failure ??= new Error(message)),
    });
  }

  /** Publishes one event, which counts as accepted once it is acknowledged: then it resolves. */
  publish(event: AnyEvent): Promise<void> {
    const slot = `${CATALOG[event.type].topic}\n${event.key}`;
    const list = this.said.get(slot);
    if (list) list.push(event.id);
    else this.said.set(slot, [event.id]);
    this.recent.push(event);
    if (this.recent.length > RECENT) this.recent.shift();
    return this.send(event, () => this.accepted.add(event.id));
  }

  /** Publishes again what was said before: a copy, which must change nothing. */
  again(event: AnyEvent): Promise<void> {
    return this.send(event, () => undefined);
  }

  hold(): void {
    this.isHeld = true;
    this.feed?.pause();
  }

  go(): void {
    this.isHeld = false;
    if (this.underWay < HIGH_WATER) this.feed?.resume();
  }

  /** Waits until every event is acknowledged. */
  async idle(limitMs: number): Promise<void> {
    await waitFor('The brokers acknowledge what was published', limitMs, () => {
      if (this.failure) throw this.failure;
      return this.underWay === 0 ? true : null;
    });
  }

  async stop(): Promise<void> {
    await this.feed?.stop();
    await this.publisher.stop();
  }

  private async send(event: AnyEvent, done: () => void): Promise<void> {
    this.underWay += 1;
    if (this.underWay === HIGH_WATER) this.feed?.pause();
    try {
      await this.publisher.publish([event]);
      done();
    } catch (error) {
      if ((error as Error).name !== 'PublisherStopped') this.failure ??= error as Error;
    } finally {
      this.underWay -= 1;
      if (!this.isHeld && this.underWay === HIGH_WATER / 2) this.feed?.resume();
    }
  }
}
