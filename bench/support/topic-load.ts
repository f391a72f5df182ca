import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CATALOG, eventId, type AnyEvent, type EventType, type TopicName } from '@moon/events';
import { KafkaPublisher, ShardJournals, type KafkaSettings, type Login } from '@moon/infra';
import { STREAM_VERSION } from '@moon/kernel';
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
/** Rows of one append to the log. */
const APPENDED_ROWS = 500;
/** More are appended than the rates ask for: the mix rounds. */
const SPARE = 100;

/** The kept example of a type, said again and again by one publisher, each with an id and a time of its own. */
export class TopicLoad {
  /** Ids that the brokers acknowledged, by topic. */
  readonly accepted = new Map<TopicName, string[]>();
  private readonly publisher: KafkaPublisher;
  private readonly run = `${process.pid}-${Date.now()}`;
  private readonly mix = new Mix();
  private underWay = 0;
  private number = 0;
  /** Store-first events, which are in the log before they are said. */
  private readonly logged = new Map<RatedType, AnyEvent[]>();
  private failure: Error | null = null;

  constructor(settings: KafkaSettings) {
    this.publisher = new KafkaPublisher({ settings });
  }

  /** Puts into the log what is store-first and will be said within so many seconds: nobody takes it from elsewhere. */
  async log(login: Login, database: string, seconds: number): Promise<void> {
    const journals = new ShardJournals(login, database);
    try {
      const journal = journals.open('bench#0');
      let { lastSeq: afterSeq } = await journal.claim('bench');
      for (const type of RATED_TYPES.filter((rated) => CATALOG[rated].store === 'stream')) {
        const events = Array.from({ length: Math.ceil(DOCUMENT_RATES[type] * seconds) + SPARE }, () => this.next(type));
        for (let from = 0; from < events.length; from += APPENDED_ROWS) {
          const toSeq = afterSeq + APPENDED_ROWS;
          const rows = events.slice(from, from + APPENDED_ROWS).map((event, index) => {
            return { seq: afterSeq + index + 1, event, streamId: CATALOG[type].streamId(event.data)!, version: 1 };
          });
          await journal.append({ afterSeq, toSeq, entries: [], publishedSeq: afterSeq }, rows);
          afterSeq = toSeq;
        }
        const inStream = (event: AnyEvent): AnyEvent => ({ ...event, headers: { [STREAM_VERSION]: 1 } }) as AnyEvent;
        this.logged.set(type, events.map(inStream).reverse());
      }
    } finally {
      await journals.close();
    }
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
    const { topic, store } = CATALOG[type];
    const event = store === 'stream' ? this.logged.get(type)?.pop() : this.next(type);
    if (!event) throw new Error(`More of ${type} are said than were put into the log.`);
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
    const own = CATALOG[type].streamRule === 'order' ? { order_id: id } : {};
    const data = { ...example.data, ...own, timestamp, [keyRule]: names[this.number % names.length] };
    const key = CATALOG[type].keyOf(data);
    const emitter = CATALOG[type].emitters[0]!;
    const source = emitter.endsWith('/') ? `${emitter}bench` : emitter;
    return { ...example, id, source, key, occurredAt: timestamp, correlationId: id, data } as AnyEvent;
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
