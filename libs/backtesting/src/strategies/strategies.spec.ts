import { StrategyWatch } from './strategy-watch';
import { playBars, strategyCode, strategyPlatform, swingingBars, UserFolder } from '../testing/strategy-bed';

const BARS = swingingBars(100);

describe('strategies in a replay', () => {
  let folder: UserFolder;
  beforeEach(() => (folder = new UserFolder()));
  afterEach(() => folder.remove());

  const play = (code: string, ...rest: Parameters<typeof playBars>[2][]) => {
    folder.write('mine.js', code);
    return playBars(BARS, () => folder.load({ path: 'mine.js' }), ...rest);
  };

  it('[US3-1] a module outside the repository votes, and what it says becomes orders and fills by the way of every agent', async () => {
    const { result, events } = await play(strategyCode());
    const types = result.eventsByType;
    expect(types['signal.generated']).toBe(10);
    for (const type of ['consensus.opened', 'trade.consensus_approved', 'order.approved', 'trade.executed'])
      expect([type, types[type]]).toEqual([type, 10]);
    expect(result.strategyFailures).toEqual([]);
    const activated = events.find((event) => event.type === 'config.activated');
    expect(activated?.data).toMatchObject({
      values: {
        strategies: [{ name: 'mine', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string, config: {} }],
        platform: { consensus: { voters: expect.arrayContaining([{ agent: 'mine', weight: 1 }]) as [] } },
      },
    });
  });

  it('[US3-3] gives the same events at every repeat, wherever the folder lies', async () => {
    const elsewhere = new UserFolder();
    try {
      const code = strategyCode();
      elsewhere.write('mine.js', code);
      const [one, other] = [await play(code), await playBars(BARS, () => elsewhere.load({ path: 'mine.js' }))];
      expect(other.result.eventHash).toBe(one.result.eventHash);
      expect(other.events.map(({ id }) => id)).toEqual(one.events.map(({ id }) => id));
    } finally {
      elsewhere.remove();
    }
  });

  it('[US3-1] weighs its vote: with weight 0 it is recorded and decides nothing', async () => {
    folder.write('mine.js', strategyCode());
    folder.write('other.js', strategyCode({ every: 20 }));
    const { result } = await playBars(
      BARS,
      () => folder.load({ path: 'mine.js', weight: 0 }, { path: 'other.js', weight: 2 }),
      { platform: strategyPlatform({ consensus: { minimumAgents: 1, cooldownMs: 0, windowMs: 1 } }) },
    );
    expect(result.eventsByType['signal.generated']).toBe(15);
    expect(result.eventsByType['trade.executed']).toBe(5);
  });

  it('gets its configuration and name, and the same module may be used twice under two names', async () => {
    folder.write('mine.js', strategyCode({ before: '', inside: 'if (config.mute) return;' }));
    const { result, events } = await playBars(BARS, () =>
      folder.load({ path: 'mine.js', name: 'a' }, { path: 'mine.js', name: 'b', config: { mute: true } }),
    );
    expect(result.strategyFailures).toEqual([]);
    const speakers = events.flatMap((event) => (event.type === 'signal.generated' ? [event.data.agent] : []));
    expect(new Set(speakers)).toEqual(new Set(['a']));
  });

  it('those that emit no signal in a run are known by name', async () => {
    folder.write('mine.js', strategyCode());
    folder.write('mute.js', strategyCode({ inside: 'return;' }));
    const strategyWatch = new StrategyWatch(StrategyWatch.memory());
    await playBars(BARS, () => folder.load({ path: 'mine.js' }, { path: 'mute.js' }), { strategyWatch });
    expect(strategyWatch.silent).toEqual(['mute']);
  });

  describe('that are bad', () => {
    it('a throw in the middle: the event is skipped and recorded, the run goes on and says so in its result', async () => {
      const { result, events } = await play(
        strategyCode({
          inside: `if (state.bars === 20) { state.lost = true; throw new Error('I cannot stand bar 20.'); }`,
        }),
      );
      // The delivery is undone, so the bar is not counted: the next one is the twentieth, and it throws on all that follow.
      expect(result.strategyFailures).toEqual([
        {
          strategy: 'mine',
          handler: 'agent/mine',
          count: 81,
          first: expect.objectContaining({
            type: 'bar.closed',
            message: 'I cannot stand bar 20 (mine.js:7).',
          }) as object,
        },
      ]);
      expect(result.eventsByType['event.skipped']).toBe(81);
      expect(result.eventsByType['bar.closed']).toBe(100);
      const skipped = events.find((event) => event.type === 'event.skipped');
      expect(skipped?.data).toMatchObject({ handler: 'agent/mine', reason: 'error' });
    });

    it('a throw names its line as it was written, in TypeScript and in a file that is imported, too', async () => {
      folder.write(
        'lib/rule.ts',
        `\n\ninterface Bar {\n  close: number;\n}\n\nexport function judge(bar: Bar | null): number {\n  return bar!.close;\n}\n`,
      );
      folder.write(
        'mine.js',
        strategyCode({ before: `const { judge } = require('./lib/rule');`, inside: 'judge(null);' }),
      );
      const { result } = await playBars(BARS, () => folder.load({ path: 'mine.js' }));
      expect(result.strategyFailures[0]?.first.message).toBe(
        "Cannot read properties of null (reading 'close') (lib/rule.ts:8).",
      );
    });

    it('a throw ends a run that keeps no way back, and the error names strategy and event', async () => {
      const played = play(strategyCode({ inside: `throw new Error('Never.');` }), { isGuarded: false });
      await expect(played).rejects.toThrow(/^agent\/mine\/BTC failed at bar\.closed [0-9a-f-]{36}: Never\.$/);
    });

    it.each([
      [
        'speaks about another token',
        `out.emit('signal.generated', { token: 'ETH', action: 'BUY', score: 1, confidence: 1, agent: name, reason: '', timestamp: out.now });`,
        'It spoke about ETH while it handled BTC',
      ],
      [
        'speaks to another key',
        `out.emit('signal.generated', { token: 'BTC', action: 'BUY', score: 1, confidence: 1, agent: name, reason: '', timestamp: out.now }, 'ETH');`,
        'It spoke about ETH while it handled BTC',
      ],
      [
        'speaks as somebody else',
        `out.emit('signal.generated', { token: 'BTC', action: 'BUY', score: 1, confidence: 1, agent: 'chart_agent', reason: '', timestamp: out.now });`,
        'It spoke as "chart_agent"; it was loaded as "mine"',
      ],
      [
        'emits an invalid event',
        `out.emit('signal.generated', { token: 'BTC', action: 'BUY', score: 101, confidence: 1, agent: name, reason: '', timestamp: out.now });`,
        'data.score',
      ],
      [
        'emits a decision',
        `out.emit('trade.consensus_approved', {});`,
        'It emitted trade.consensus_approved; a strategy emits',
      ],
      ['emits what is no event', `out.emit('buy', {});`, 'It emitted buy; a strategy emits'],
      [
        'sends a command',
        `out.send({ type: 'PlaceOrder', key: 'main' });`,
        'It sent the command PlaceOrder; a strategy emits opinions only',
      ],
      ['changes data', `event.data.close = 1;`, "Cannot assign to read only property 'close'"],
      ['changes the envelope', `event.key = 'ETH';`, 'It changed the event in its hands'],
      ['answers later', `return Promise.resolve();`, 'It returned a promise'],
    ])('%s: refused with a clear message, and the others see nothing of it', async (_what, inside, message) => {
      const { result, events } = await play(strategyCode({ inside }));
      const [failure] = result.strategyFailures;
      expect(failure?.first.message).toContain(message);
      expect(failure?.count).toBe(100);
      expect(result.fills).toBe(0);
      expect(events.filter(({ type }) => type === 'bar.closed')).toEqual(
        BARS.filter(({ type }) => type === 'bar.closed'),
      );
    });

    it.each([
      ['at the first bar', 1],
      ['long after the start', 90],
    ])('a Map in its state ends the run with a clear message, %s', async (_when, bar) => {
      const played = play(strategyCode({ inside: `if (state.bars >= ${bar}) state.seen = new Map();` }));
      await expect(played).rejects.toThrow(
        /Strategy .*mine\.js: State of agent\/mine is not plain JSON at \$\.seen: a Map\. A state is made of/,
      );
    });
  });
});
