import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CATALOG, eventId, type AnyEvent, type EventType, type TopicName } from '@moon/events';
import { KafkaPublisher, type KafkaSettings } from '@moon/infra';
import { ROOT, waitFor } from '../../tests/faults/cluster/root';
import { monotonicNs, stampOf } from './stamps';
import { tickAtRate } from './tick-lane';

/** The design document's rates, events a second (BRK-5). */
export const DOCUMENT_RATES = {
  'price.tick': 1_000,
  'signal.generated': 100,
  'trade.executed': 50,
  'liquidation.event': 20,
  'sentiment.update': 50,
  'risk.alert': 30,
  'state.changed': 200,
} as const satisfies Partial<Record<EventType, number>>;
export type RatedType = keyof typeof DOCUMENT_RATES;
export const RATED_TYPES = Object.keys(DOCUMENT_RATES) as RatedType[];

const TOKENS = ['BTC', 'ETH', 'SOL', 'XRP', 'DOGE', 'BNB', 'AVAX', 'LINK', 'ARB'];
const PORTFOLIOS = ['main', 'fund-1', 'fund-2', 'fund-3', 'fund-4', 'fund-5', 'fund-6'];
const ACKNOWLEDGED_WITHIN_MS = 120_000;

/** The kept example of a type, said again and again by one publisher, each with an id and a time of its own. */
export class TopicLoad {
  /** Ids that the brokers acknowledged, by topic. */
  readonly accepted = new Map<TopicName, string[]>();
  private readonly publisher: KafkaPublisher;
  private readonly run = `${process.pid}-${Date.now()}`;
  private readonly mix = new Mix();
  private underWay = 0;
  private number = 0;
  private failure: Error | null = null;

  constructor(settings: KafkaSettings) {
    this.publisher = new KafkaPublisher({ settings });
  }

  /** All topics at once; resolves when everything is acknowledged. @returns events a second that were said, by type */
  async go(phase: string, seconds: number, share = 1): Promise<Map<RatedType, number>> {
    const started = monotonicNs();
    const counts = new Map<RatedType, number>();
    const perSecond = RATED_TYPES.reduce((sum, type) => sum + DOCUMENT_RATES[type], 0) * share;
    await tickAtRate(perSecond, Math.round(perSecond * seconds), (atNs) => {
      const type = this.mix.next();
      counts.set(type, (counts.get(type) ?? 0) + 1);
      this.publish(type, stampOf(phase, atNs));
    });
    await waitFor('The brokers acknowledge all topics', ACKNOWLEDGED_WITHIN_MS, () => {
      if (this.failure) throw this.failure;
      return this.underWay === 0 ? true : null;
    });
    const took = Number(monotonicNs() - started) / 1e9;
    return new Map([...counts].map(([type, count]) => [type, count / took]));
  }

  stop(): Promise<void> {
    return this.publisher.stop();
  }

  private publish(type: RatedType, stamp: string): void {
    const event = this.next(type);
    const { topic } = CATALOG[type];
    this.underWay += 1;
    this.publisher.publish([event], stamp).then(
      () => {
        this.underWay -= 1;
        const ids = this.accepted.get(topic);
        if (ids) ids.push(event.id);
        else this.accepted.set(topic, [event.id]);
      },
      (error: Error) => (this.failure ??= error),
    );
  }

  private next(type: RatedType): AnyEvent {
    this.number += 1;
    const example = exampleOf(type);
    const id = eventId('bench-topic', this.run, type, String(this.number));
    const { keyRule } = CATALOG[type];
    const names = keyRule === 'token' ? TOKENS : PORTFOLIOS;
    const timestamp = Date.now();
    const data = { ...example.data, timestamp, [keyRule]: names[this.number % names.length] };
    const key = CATALOG[type].keyOf(data);
    return { ...example, id, key, occurredAt: timestamp, correlationId: id, data } as AnyEvent;
  }
}

/** Whose turn it is: each type as often as its rate says, evenly spread. */
class Mix {
  private readonly credit = new Map<RatedType, number>(RATED_TYPES.map((type) => [type, 0]));

  next(): RatedType {
    let chosen: RatedType = 'price.tick';
    let total = 0;
    for (const type of RATED_TYPES) {
      total += DOCUMENT_RATES[type];
      this.add(type, DOCUMENT_RATES[type]);
      if (this.of(type) > this.of(chosen)) chosen = type;
    }
    this.add(chosen, -total);
    return chosen;
  }

  private of(type: RatedType): number {
    return this.credit.get(type) ?? 0;
  }

  private add(type: RatedType, amount: number): void {
    this.credit.set(type, this.of(type) + amount);
  }
}

const examples = new Map<EventType, AnyEvent>();

function exampleOf(type: EventType): AnyEvent {
  let example = examples.get(type);
  if (!example) {
    const file = join('tests/fixtures/events', type, `v${CATALOG[type].schemaVersion}`, 'ok/example.json');
    example = JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as AnyEvent;
    examples.set(type, example);
  }
  return example;
}
