import type { KafkaMessage } from 'kafkajs';
import { gate } from '../../../kernel/src/testing/recording-listener';
import { Lane } from './lane';

const message = (offset: number): KafkaMessage =>
  ({ offset: String(offset), key: null, value: null, headers: {}, timestamp: '0', attributes: 0 }) as never;

describe('Lane', () => {
  it('says how far its owner is: not what was fetched, and not what he has in his hands', async () => {
    const door = gate();
    const lane = new Lane('signal.generated', 0, {
      deliver: () => door.opened,
      skipped: () => Promise.resolve(),
      changed: () => undefined,
      onError: () => undefined,
    });
    expect(lane.handled).toBe(-1);
    lane.seek(5);
    lane.holds.delete('assigning');
    expect(lane.handled).toBe(5);
    // The record at 7 is one that no reader is to see.
    lane.offer([message(5), message(6)], 8);
    await new Promise((resolve) => setImmediate(resolve));
    expect(lane.handled).toBe(5);
    door.open();
    await new Promise((resolve) => setImmediate(resolve));
    expect(lane.handled).toBe(8);
    lane.seek(3);
    expect(lane.handled).toBe(3);
  });
});
