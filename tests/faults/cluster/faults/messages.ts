import { inputId, type AnyEvent, type TopicName } from '@moon/events';
import { kafkaClient } from '@moon/infra';
import { waitFor } from '../root';
import { between, type Blow, type Fault } from './fault';

/** Draws from the newest events of the load, in a mixed order. */
function drawn({ rig, random }: Blow, count: number): AnyEvent[] {
  const { recent } = rig.load;
  return Array.from({ length: count }, () => recent[between(random, 0, recent.length - 1)]).filter(
    (event): event is AnyEvent => event !== undefined,
  );
}

/** A price that was true a minute ago and comes only now. */
function late(event: AnyEvent, number: number): AnyEvent {
  if (event.type !== 'price.tick') return event;
  const timestamp = event.occurredAt - 60_000;
  const { price, instrument = '' } = event.data;
  const values = [price, number];
  const id = inputId({ source: 'late', kind: 'price.tick/last', instrument, venueTime: timestamp, values });
  const data = { ...event.data, timestamp };
  return { ...event, id, correlationId: id, occurredAt: timestamp, data };
}

const GARBAGE: ReadonlyArray<{ value: Buffer; headers: Record<string, string> }> = [
  { value: Buffer.from([0xff, 0xfe, 0x00, 0x80]), headers: {} },
  { value: Buffer.from('{"half":'), headers: { ce_id: 'x', ce_type: 'price.tick', ce_specversion: '1.0' } },
  { value: Buffer.from('{}'), headers: { ce_type: 'from.the.future' } },
];
const POISONED: readonly TopicName[] = ['price.ticks', 'signal.generated'];

export const messageFaults: readonly Fault[] = [
  {
    name: 'duplicates',
    about: 'two hundred events of the last seconds once more, in a mixed order',
    repeats: 5,
    run: async (blow) => {
      await Promise.all(drawn(blow, 200).map((event) => blow.rig.load.again(event)));
    },
  },
  {
    name: 'late-messages',
    about: 'fifty prices that are a minute old',
    repeats: 5,
    run: async (blow) => {
      const prices = drawn(blow, 50).filter(({ type }) => type === 'price.tick');
      const salt = between(blow.random, 0, 1e9);
      await Promise.all(prices.map((event, index) => blow.rig.load.publish(late(event, salt + index))));
    },
  },
  {
    name: 'poison',
    about: 'messages that are none on price.ticks and signal.generated',
    repeats: 5,
    run: async ({ rig }) => {
      const refused = rig.auditor.refused;
      const producer = kafkaClient({ ...rig.config.kafka, portOffset: 0 }).producer();
      await producer.connect();
      for (const topic of POISONED) {
        const messages = GARBAGE.map((garbage) => ({ key: 'BTC', ...garbage }));
        await producer.send({ topic, acks: -1, messages });
      }
      await producer.disconnect();
      const wanted = refused + POISONED.length * GARBAGE.length;
      await waitFor('The poison has been read', 60_000, () => (rig.auditor.refused >= wanted ? true : null));
    },
  },
];
