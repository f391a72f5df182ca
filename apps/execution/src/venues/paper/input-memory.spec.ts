import type { VenueReport } from '@moon/kernel';
import { InputMemory } from './input-memory';

const report = (portfolio: string, venueSeq: number) => ({ portfolio, venueSeq }) as VenueReport;

describe('the memory of inputs', () => {
  it('knows at least the newest so many events, and at most twice as many', () => {
    const memory = new InputMemory(10);
    for (let i = 0; i < 1_000; i += 1) {
      memory.note(`event-${i}`, []);
      expect(memory.answerTo(`event-${Math.max(0, i - 9)}`)).toEqual([]);
    }
    expect(memory.answerTo('event-900')).toBeUndefined();
    expect(memory.state().ids.length).toBeLessThanOrEqual(20);
  });

  it('is the same after it was stored', () => {
    const memory = new InputMemory(3);
    for (let i = 0; i < 5; i += 1)
      memory.note(`event-${i}`, i % 2 === 0 ? [report('main', i + 1), report('second', 9)] : []);
    const again = new InputMemory(3, JSON.parse(JSON.stringify(memory.state())) as ReturnType<InputMemory['state']>);
    expect(again.state()).toEqual(memory.state());
    expect(again.causes('main', 1)).toEqual({ 3: 'event-2', 5: 'event-4' });
    expect(again.answerTo('event-4')).toEqual([
      ['main', 5],
      ['second', 9],
    ]);
  });

  it('is off at 0', () => {
    const memory = new InputMemory(0);
    memory.note('event', []);
    expect(memory.answerTo('event')).toBeUndefined();
  });
});
