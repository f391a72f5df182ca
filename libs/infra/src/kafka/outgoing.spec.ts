import { PublisherStopped, PublishRefused } from '@moon/kernel';
import { Outgoing } from './outgoing';
import { refusalOf, type KafkaRecord } from './record';

const record = (key: string, bytes = 10, topic = 'price.ticks'): KafkaRecord => ({
  topic,
  key,
  value: 'x'.repeat(bytes),
  headers: {},
});
const keysOf = ({ records }: { records: readonly KafkaRecord[] }): (string | null)[] => records.map(({ key }) => key);
const refused = (one: KafkaRecord) => refusalOf(one, 'no');

describe('what waits to be sent', () => {
  it('resolves a call when all of it is acknowledged, over several requests', async () => {
    const outgoing = new Outgoing(10_000);
    let isDone = false;
    const call = outgoing.add([record('a', 6000), record('b', 6000)]).then(() => (isDone = true));
    const first = outgoing.next();
    expect(keysOf(first)).toEqual(['a']);
    outgoing.acknowledge(first);
    await Promise.resolve();
    expect([isDone, outgoing.size]).toEqual([false, 1]);
    outgoing.acknowledge(outgoing.next());
    await call;
    expect([outgoing.size, outgoing.bytes, outgoing.oldestAt]).toEqual([0, 0, null]);
  });

  it('takes from the head only, so that no key overtakes itself; topics have their bounds each', async () => {
    const outgoing = new Outgoing(10_000);
    const calls = [
      outgoing.add([record('a', 6000), record('a', 6000, 'market.bars')]),
      outgoing.add([record('b', 6000)]),
      outgoing.add([record('c', 10)]),
    ];
    const batch = outgoing.next();
    expect(keysOf(batch)).toEqual(['a', 'a']);
    outgoing.acknowledge(batch);
    const rest = outgoing.next();
    expect(keysOf(rest)).toEqual(['b', 'c']);
    outgoing.acknowledge(rest);
    await Promise.all(calls);
  });

  it('refuses what is larger than a topic takes, and takes nothing of that call', () => {
    const outgoing = new Outgoing(10_000);
    expect(() => void outgoing.add([record('a'), record('b', 20_000)])).toThrow(PublishRefused);
    expect(outgoing.size).toBe(0);
  });

  it('halves a batch that the broker finds too large, down to the record that is', async () => {
    const outgoing = new Outgoing(10_000);
    const calls = ['a', 'b', 'c'].map((key) => outgoing.add([record(key)]));
    outgoing.shrink(outgoing.next(), refused);
    const single = outgoing.next();
    expect(keysOf(single)).toEqual(['a']);
    outgoing.shrink(single, refused);
    await expect(calls[0]).rejects.toThrow(PublishRefused);
    expect(keysOf(outgoing.next())).toEqual(['b']);
    outgoing.acknowledge(outgoing.next());
    outgoing.acknowledge(outgoing.next());
    await Promise.all(calls.slice(1));
  });

  it('refuses what matches and gives up the rest on demand', async () => {
    const outgoing = new Outgoing(10_000);
    const lost = outgoing.add([record('a', 10, 'no.such.topic')]);
    const kept = outgoing.add([record('b')]);
    const batch = outgoing.next();
    outgoing.refuse(({ topic }) => topic === 'no.such.topic', refused);
    await expect(lost).rejects.toThrow(PublishRefused);
    expect(outgoing.holds(batch)).toBe(false);
    outgoing.rejectAll((count) => new PublisherStopped(count));
    await expect(kept).rejects.toMatchObject({ unacknowledged: 1 });
    expect(outgoing.bytes).toBe(0);
  });
});
