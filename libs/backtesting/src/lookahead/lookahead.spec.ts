import type { AnyEvent } from '@moon/events';
import { sourceOf } from '@moon/kernel';
import { replay } from '../replay/replay';
import type { Strategy } from '../strategies';
import { bedOptions, strategyCode, swingingBars, UserFolder } from '../testing/strategy-bed';
import { changedInputs, checkLookahead, type InputChange, type LookaheadReport, type RunObserver } from '.';

const BARS = swingingBars(300);

/** Buys below and sells above a price that it has seen lately: an honest strategy. */
const HONEST = strategyCode({
  every: 1_000,
  inside: `
    const { close } = event.data;
    const before = state.last;
    state.last = close;
    if (before === undefined || (before > 100) === (close > 100)) return;
    out.emit('signal.generated', { token: out.key, action: close > 100 ? 'BUY' : 'SELL', score: 100, confidence: 1, agent: name, reason: String(close), timestamp: out.now });
    return;`,
});

describe('the look-ahead check', () => {
  let folder: UserFolder;
  beforeEach(() => (folder = new UserFolder()));
  afterEach(() => folder.remove());

  const check = (load: () => Strategy[], cuts = 4): Promise<LookaheadReport> =>
    checkLookahead({
      cuts,
      seed: 'moon',
      play: async (change: InputChange, observer: RunObserver) => {
        const onEvent = observer.saw;
        await replay({ ...bedOptions(BARS, load()), source: changedInputs(sourceOf(BARS), change), onEvent });
      },
    });
  const verdicts = ({ handlers }: LookaheadReport) =>
    Object.fromEntries(handlers.map(({ handler, verdict }) => [handler, verdict]));

  it('[US3-3] finds nothing at an honest strategy, nor at those who decide on its opinions', async () => {
    folder.write('honest.js', HONEST);
    const report = await check(() => folder.load({ path: 'honest.js' }));
    expect(verdicts(report)).toEqual({ 'agent/honest': 'clean', execution: 'clean', 'saga/consensus': 'clean' });
    expect(report.cuts).toHaveLength(4);
    expect(report.isPeeking).toBe(false);
    expect(report.handlers[0]?.decisions).toBeGreaterThan(5);
  });

  it('[US3-3] finds one that knows later prices from a cache which it shares with another run', async () => {
    // What the guard cannot see: the real global object, by way of a function's constructor.
    folder.write(
      'peek.js',
      strategyCode({
        every: 1_000,
        inside: `
          const shared = (() => {}).constructor('return globalThis')();
          const cache = (shared.peeked ??= new Map());
          const known = cache.get(event.data.timestamp + 5 * 60_000);
          cache.set(event.data.timestamp, event.data.close);
          if (known === undefined || known === event.data.close || state.bars % 5 !== 0) return;
          out.emit('signal.generated', { token: out.key, action: known > event.data.close ? 'BUY' : 'SELL', score: 100, confidence: 1, agent: name, reason: 'known: ' + known, timestamp: out.now });
          return;`,
      }),
    );
    const report = await check(() => folder.load({ path: 'peek.js' }));
    expect(report.isPeeking).toBe(true);
    const peeker = report.handlers.find(({ handler }) => handler === 'agent/peek');
    expect(peeker?.verdict).toBe('peeks');
    expect(peeker?.found?.changed?.data).toContain('known: ');
  });

  it('[US3-3] finds one that reads prices ahead of the run from what the run itself is fed with', async () => {
    const inputs: AnyEvent[] = [];
    // A strategy whose code was handed the inputs: as when data are prepared with indicators over the whole file.
    const peeker = (): Strategy => {
      folder.write('honest.js', HONEST);
      const [honest] = folder.load({ path: 'honest.js', name: 'peek' });
      const handler = honest!.handlers[0]!;
      const closes = new Map(
        inputs.flatMap((e) => (e.type === 'bar.closed' ? [[e.occurredAt, e.data.close]] : [])) as [number, number][],
      );
      return {
        ...honest!,
        handlers: [
          {
            ...handler,
            handle: (event, state, out) => {
              if (event.type !== 'bar.closed') return;
              const later = closes.get(event.occurredAt + 3 * 60_000);
              if (later === undefined || Math.abs(later - event.data.close) < 2) return;
              const action = later > event.data.close ? 'BUY' : 'SELL';
              const about = { token: 'BTC', agent: 'peek', reason: '', timestamp: out.now };
              out.emit('signal.generated', { ...about, action, score: 100, confidence: 1 });
            },
          },
        ],
      };
    };
    const report = await checkLookahead({
      cuts: 4,
      seed: 'moon',
      play: async (change, { saw: onEvent }) => {
        inputs.splice(0);
        const source = changedInputs(sourceOf(BARS), change);
        for (let batch = await source.nextBatch(); batch; batch = await source.nextBatch()) inputs.push(...batch);
        await replay({ ...bedOptions(BARS, [peeker()]), source: sourceOf([...inputs]), onEvent });
      },
    });
    const found = report.handlers.find(({ handler }) => handler === 'agent/peek')?.found;
    expect(found?.change).toBe('truncate');
    expect(found?.at).toBeLessThanOrEqual(found?.cut ?? 0);
    expect(found?.whole).not.toEqual(found?.changed);
  });

  it('says of one that decides the same on other prices that it does not decide by the data', async () => {
    folder.write('knows.js', strategyCode({ every: 30 }));
    const report = await check(() => folder.load({ path: 'knows.js' }), 1);
    expect(verdicts(report)['agent/knows']).toBe('unmoved');
    expect(report.isPeeking).toBe(false);
  });

  it('chooses its cuts by the seed, within the data and never at their end', async () => {
    folder.write('honest.js', HONEST);
    const [one, other] = [
      await check(() => folder.load({ path: 'honest.js' }), 2),
      await check(() => folder.load({ path: 'honest.js' }), 2),
    ];
    expect(one.cuts).toEqual(other.cuts);
    for (const cut of one.cuts) expect(cut).toBeLessThan(BARS[BARS.length - 1]!.occurredAt);
  });
});
