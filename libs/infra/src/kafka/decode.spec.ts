import { CATALOG, EVENT_TYPES, type AnyEvent, type EventType } from '@moon/events';
import { isRefused, type BusMessage, type RefusedMessage } from '@moon/kernel';
import { exampleEvent } from '../../../events/src/testing/fixtures';
import { arriving } from '../testing/arriving';

/** The example of a type from one of its emitters. */
function exampleOf(type: EventType, headers: AnyEvent['headers'] = {}): AnyEvent {
  const emitter = CATALOG[type].emitters[0]!;
  const source = emitter.endsWith('/') ? `${emitter}spec` : emitter;
  return { ...exampleEvent(type), source, headers } as AnyEvent;
}

/** A message as the broker gives it. */
const arrives = (event: AnyEvent, producer?: string, topic?: string): BusMessage | RefusedMessage =>
  arriving(event, { producer, topic, partition: 2, offset: 900 });

const reasonOf = (message: BusMessage | RefusedMessage): string | null =>
  isRefused(message) ? `${message.reason}: ${message.detail}` : null;

describe('what comes over the wire', () => {
  it('[BRK-1] is taken on its own topic, from its emitters, and of streams as the relay gives it', () => {
    for (const type of EVENT_TYPES) {
      const isOfStream = CATALOG[type].store === 'stream';
      const event = exampleOf(type, isOfStream ? { streamVersion: 3 } : {});
      expect(reasonOf(arrives(event, isOfStream ? 'execution#0' : undefined))).toBeNull();
    }
  });

  it('[BRK-1] is refused on the topic of another type: the archive finds it by type and offset', () => {
    const message = arrives(exampleOf('price.tick'), undefined, 'signal.generated');
    expect(message).toMatchObject({ topic: 'signal.generated', partition: 2, offset: 900, reason: 'wrong_topic' });
    expect(reasonOf(message)).toMatch(
      /price\.tick belongs to topic price\.ticks, and this is signal\.generated\. .*ACLs/,
    );
    // A measurement's own topic.
    expect(reasonOf(arrives(exampleOf('price.tick'), undefined, 'bench.ticks'))).toBeNull();
  });

  it('is refused from a source that does not emit it, in one line, however long the source is', () => {
    const forged = { ...exampleOf('signal.generated'), source: `stranger/${'x'.repeat(150)}` };
    const reason = reasonOf(arrives(forged))!;
    expect(reason).toMatch(/^forged_source: signal\.generated comes from agent\/, and this is from "stranger\/x+…/);
    expect(reason.length).toBeLessThan(270);
    expect(
      reasonOf(arrives({ ...exampleOf('halt.raised', { streamVersion: 1 }), source: 'executions' }, 'a#0')),
    ).toMatch(/^forged_source: halt\.raised comes from execution, and this is from "executions"/);
  });

  it.each<[string, AnyEvent['headers'], string | undefined]>([
    ['neither shard nor version', {}, undefined],
    ['no version', {}, 'operators'],
    ['no shard', { streamVersion: 1 }, undefined],
    ['an empty shard', { streamVersion: 1 }, ''],
    ['a version that none is', { streamVersion: 0 }, 'operators'],
    ['a version in words', { streamVersion: '1' }, 'operators'],
  ])('an event of a stream is refused with %s', (_, headers, producer) => {
    expect(reasonOf(arrives(exampleOf('operator.command', headers), producer))).toMatch(
      /^not_from_the_log: operator\.command is published from the log alone, .*: nobody obeys it\. .*command moon\.$/,
    );
  });
});
