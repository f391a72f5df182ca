import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child, type Ended } from '../support/processes';
import { UserFolder } from '../support/user-folder';

// Processes on a machine that is busy with other suites take their time.
jest.setTimeout(90_000);

describe('moon lookahead-check', () => {
  const folder = new UserFolder();
  beforeAll(() => {
    folder.bars(240);
    copyFileSync(folder.example, join(folder.path, 'honest.ts'));
  });
  afterAll(() => folder.remove());

  const check = (strategy: string, ...args: string[]): Promise<Ended> =>
    new Child('apps/cli/src/main.js', [
      'lookahead-check',
      '--config',
      folder.backtest(strategy),
      '--cuts',
      '2',
      ...args,
    ]).ended;

  it('[US3-3] passes the honest example, taken out of the repository', async () => {
    const { code, stdout, stderr } = await check('honest.ts');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/agent\/honest\s+clean\s+\d/);
  });

  it('[US3-3] finds a planted one that has later prices from an earlier run, and shows the decision with both values', async () => {
    folder.write(
      'peek.cjs',
      `const world = (() => {}).constructor('return globalThis')();
       exports.createAgents = (_config, { name }) => [{
         name: 'agent/' + name, role: 'agent', partitionedBy: 'token', consumes: ['bar.closed'], initialState: () => ({ bars: 0 }),
         handle(event, state, out) {
           state.bars += 1;
           const { close, timestamp } = event.data;
           const seen = (world.seen ??= new Map());
           const later = seen.get(timestamp + 600_000) ?? close;
           seen.set(timestamp, close);
           if (state.bars % 20 !== 0) return;
           const action = later >= close ? 'BUY' : 'SELL';
           out.emit('signal.generated', { token: out.key, action, score: 100, confidence: 1, agent: name, reason: 'later: ' + later, timestamp });
         },
       }];`,
    );
    const { code, stdout } = await check('peek.cjs', '--json');
    expect(code).toBe(1);
    const report = JSON.parse(stdout) as {
      isPeeking: boolean;
      handlers: { handler: string; verdict: string; found: { whole: object } | null }[];
    };
    expect(report.isPeeking).toBe(true);
    expect(report.handlers.find(({ handler }) => handler === 'agent/peek')).toMatchObject({
      verdict: 'peeks',
      found: { whole: { type: 'signal.generated' }, changed: { type: 'signal.generated' } },
    });
  });

  it('[US3-2] does not load one that would read the file of the future itself', async () => {
    folder.write(
      'reads.js',
      `const prices = require('fs').readFileSync(__dirname + '/BTCUSDT-1m.csv', 'utf8'); exports.createAgents = () => [];`,
    );
    const { code, stderr } = await check('reads.js');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^moon: Agent .*reads\.js: it throws while it is loaded: An agent has no "fs": it does no I\/O/,
    );
  });

  it('ends one that never returns, and names it', async () => {
    folder.write(
      'hangs.js',
      `exports.createAgents = (_config, { name }) => [{ name: 'agent/' + name, role: 'agent', partitionedBy: 'token', consumes: ['bar.closed'], initialState: () => ({}), handle() { for (;;); } }];`,
    );
    const config = folder.backtest('hangs.js', { watchdogMs: 1_000 });
    const { code, stderr } = await new Child('apps/cli/src/main.js', ['lookahead-check', '--config', config]).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/A strategy \(hangs\.js\) has not returned for 1000 ms from an event of 2022-01-01T00:0/);
  });
});
