import { CATALOG, eventId, inputId, toCloudEvent, type AnyEvent, type TopicName } from '@moon/events';
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

/** Would let everything trade again if a shard obeyed it: it comes from no stream. */
function strangersCommand(at: number, salt: number): AnyEvent {
  const id = eventId('poison', String(at), String(salt));
  const { schemaVersion } = CATALOG['operator.command'];
  const data = { command: 'lift', arguments: { scope: 'global' }, requestedBy: 'a stranger', timestamp: at };
  return {
    ...{ id, type: 'operator.command', schemaVersion, source: 'operator', key: 'system', occurredAt: at },
    ...{ correlationId: id, causationId: null, data: { event_type: 'operator.command', ...data } },
  } as AnyEvent;
}

/** Events that are whole, on a topic of others, from a source that has none, and from no stream. */
function forgeries({ rig, random }: Blow): { topic: TopicName; event: AnyEvent }[] {
  const tick = rig.load.recent.findLast(({ type }) => type === 'price.tick');
  if (!tick) throw new Error('No price was published lately.');
  return [
    { topic: 'signal.generated', event: tick },
    { topic: 'price.ticks', event: { ...tick, source: 'stranger' } as AnyEvent },
    { topic: 'audit.events', event: strangersCommand(tick.occurredAt, between(random, 0, 1e9)) },
  ];
}

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
    about: 'messages that are none on price.ticks and signal.generated, and whole ones that are forged or misplaced',
    repeats: 5,
    run: async (blow) => {
      const { rig } = blow;
      const refused = rig.auditor.refused;
      const producer = kafkaClient({ ...rig.config.kafka, portOffset: 0 }).producer();
      await producer.connect();
      for (const topic of POISONED) {
        const messages = GARBAGE.map((garbage) => ({ key: 'BTC', ...garbage }));
        await producer.send({ topic, acks: -1, messages });
      }
      const forged = forgeries(blow);
      for (const { topic, event } of forged) await producer.send({ topic, acks: -1, messages: [toCloudEvent(event)] });
      await producer.disconnect();
      const wanted = refused + POISONED.length * GARBAGE.length + forged.length;
      await waitFor('The poison has been read', 60_000, () => (rig.auditor.refused >= wanted ? true : null));
    },
  },
];
