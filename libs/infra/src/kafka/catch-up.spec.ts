import type { BusPartition } from '@moon/kernel';
import { CatchUp } from './catch-up';
import type { Kept } from './positions';

const SIGNALS: BusPartition = { topic: 'signal.generated', partition: 0 };
const HALTS: BusPartition = { topic: 'halt.events', partition: 2 };
const PATIENCE_MS = 300;

describe('CatchUp', () => {
  let ends: Record<string, Kept>;
  let handled: Record<string, number>;
  let questions: { topic: string; answer: () => void; fail: () => void }[];
  let isStopped: boolean;
  let catchUp: CatchUp;

  const kept = (topic: string): Promise<Map<number, Kept>> =>
    new Promise((resolve, reject) => {
      const answer = (): void => resolve(new Map([[topic === SIGNALS.topic ? 0 : 2, ends[topic]!]]));
      questions.push({ topic, answer, fail: () => reject(new Error('no leader')) });
    });
  const asked = async (count: number): Promise<void> => {
    while (questions.length < count) await pass(1);
  };
  const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  beforeEach(() => {
    ends = { [SIGNALS.topic]: { low: 0, high: 10 }, [HALTS.topic]: { low: 0, high: 3 } };
    handled = { [SIGNALS.topic]: 10, [HALTS.topic]: 3 };
    questions = [];
    isStopped = false;
    catchUp = new CatchUp({ kept }, { handled: ({ topic }) => handled[topic]!, isStopped: () => isStopped });
  });

  it('resolves when all that was there has been handled, and not before', async () => {
    handled[SIGNALS.topic] = 7;
    let result: boolean | null = null;
    const wait = catchUp.wait([SIGNALS, HALTS], 1_000).then((is) => (result = is));
    await pass(1);
    for (const { answer } of questions) answer();
    await pass(30);
    expect(result).toBeNull();
    handled[SIGNALS.topic] = 10;
    await wait;
    expect(result).toBe(true);
    expect(questions.map(({ topic }) => topic)).toEqual([SIGNALS.topic, HALTS.topic]);
  });

  it('takes no answer to a question that was asked before; all who come meanwhile share the next', async () => {
    const first = catchUp.wait([SIGNALS], 1_000);
    await pass(1);
    const others = [1, 2, 3].map(() => catchUp.wait([SIGNALS], 1_000));
    await pass(1);
    expect(questions).toHaveLength(1);
    questions[0]!.answer();
    expect(await first).toBe(true);
    ends[SIGNALS.topic] = { low: 0, high: 12 };
    handled[SIGNALS.topic] = 11;
    await asked(2);
    questions[1]!.answer();
    await pass(20);
    handled[SIGNALS.topic] = 12;
    expect(await Promise.all(others)).toEqual([true, true, true]);
    expect(questions).toHaveLength(2);
  });

  it('asks again when no leader answers, as long as there is patience', async () => {
    const wait = catchUp.wait([SIGNALS], 1_000);
    await pass(1);
    questions[0]!.fail();
    await asked(2);
    questions[1]!.answer();
    expect(await wait).toBe(true);
  });

  it('gives up when nothing moves for as long as is said: no answer, or a partition that brings nothing', async () => {
    expect(await catchUp.wait([SIGNALS], PATIENCE_MS)).toBe(false);
    handled[HALTS.topic] = 0;
    const begun = performance.now();
    const wait = catchUp.wait([HALTS], PATIENCE_MS);
    await asked(2);
    questions[1]!.answer();
    for (let offset = 1; offset < 3; offset += 1) {
      await pass(PATIENCE_MS / 2);
      handled[HALTS.topic] = offset;
    }
    expect(await wait).toBe(false);
    expect(performance.now() - begun).toBeGreaterThan(PATIENCE_MS * 1.5);
  });

  it('does not wait for what has expired, nor after a stop', async () => {
    ends[SIGNALS.topic] = { low: 20, high: 20 };
    const expired = catchUp.wait([SIGNALS], 1_000);
    await pass(1);
    questions[0]!.answer();
    expect(await expired).toBe(true);
    isStopped = true;
    expect(await catchUp.wait([HALTS], 1_000)).toBe(false);
    expect(questions).toHaveLength(1);
  });
});
