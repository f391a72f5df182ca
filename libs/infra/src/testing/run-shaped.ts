import { eventId } from '@moon/events';
import type { AnyEvent } from '@moon/events';
import type { BusMessage } from '@moon/kernel';

const TOKENS = ['BTC', 'ETH', 'SOL', 'DOGE', 'AVAX'];
const OF_A_HUNDRED = 100;
/** Of a hundred bus events of a synthetic run at one tick a second, about these many are no ticks. */
const SIGNALS = 9;
const SENTIMENTS = 3;

/** The same numbers for the same seed: a linear congruential generator is random enough for sizes. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
}

/**
 * Bus events in the shape of a run's: prices of five tokens that walk on their tick grid, one tick a token every `stepMs`,
 * with agents' signals caused by some of them and readings of sentiment between. Every event has its own id.
 */
export function runShaped(count: number, from: number, stepMs: number): BusMessage[] {
  const random = numbers(count);
  const prices = TOKENS.map((_, index) => 43_265.2 / 10 ** index);
  const messages: BusMessage[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = from + Math.floor(index / TOKENS.length) * stepMs;
    const which = index % TOKENS.length;
    const token = TOKENS[which]!;
    prices[which] = prices[which]! * (1 + (random() - 0.5) / 2_000);
    const share = random() * OF_A_HUNDRED;
    const previous = messages[index - TOKENS.length]?.event;
    const event =
      share < SIGNALS && previous
        ? signal(token, at, { previous, random })
        : share < SIGNALS + SENTIMENTS
          ? sentiment(token, at, random)
          : tick({ token, at, index, price: Number(prices[which]!.toPrecision(6)), volume: random() * 100 });
    messages.push({ topic: 'price.ticks', partition: which, offset: index, event, producer: null });
  }
  return messages;
}

const envelope = (type: string, token: string, occurredAt: number, unique: string) => {
  const id = eventId('run-shaped', type, token, unique);
  return {
    id,
    type,
    schemaVersion: 1,
    source: 'synthetic',
    key: token,
    occurredAt,
    correlationId: id,
    causationId: null,
  };
};

function tick(given: { token: string; at: number; index: number; price: number; volume: number }): AnyEvent {
  const { token, at, index, price, volume } = given;
  const instrument = `${token}USDT.BINANCE-SPOT`;
  const volume1m = Number(volume.toFixed(2));
  return {
    ...envelope('price.tick', token, at, `${at}.${index}`),
    data: { event_type: 'price.tick', token, price, volume_1m: volume1m, timestamp: at, instrument, kind: 'last' },
  } as AnyEvent;
}

function signal(
  token: string,
  at: number,
  { previous, random }: { previous: AnyEvent; random: () => number },
): AnyEvent {
  const confidence = Number(random().toFixed(2));
  const data = {
    event_type: 'signal.generated',
    ...{
      token,
      agent: 'chart',
      action: random() < 0.5 ? 'BUY' : 'SELL',
      score: Math.round(random() * 100),
      confidence,
    },
    reason: `RSI ${(random() * 100).toFixed(1)} crossed its bound while the short average stood above the long one`,
    timestamp: at,
  };
  const own = envelope('signal.generated', token, at, `${at}.${random()}`);
  return {
    ...{ ...own, schemaVersion: 2, source: 'agent/chart' },
    ...{ causationId: previous.id, correlationId: previous.correlationId, data },
  } as unknown as AnyEvent;
}

function sentiment(token: string, at: number, random: () => number): AnyEvent {
  const data = { event_type: 'sentiment.update', token, sentiment_score: Number(random().toFixed(3)), timestamp: at };
  return { ...envelope('sentiment.update', token, at, `${at}.${random()}`), data } as unknown as AnyEvent;
}
