import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Value } from '@sinclair/typebox/value';
import { backtestConfigSchema, loadStrategies, type BacktestConfig } from '@moon/backtesting';
import { driveHandler, testEvent } from '@moon/domain';
import { readFileSync } from 'node:fs';
import { UserFolder } from '../support/user-folder';

const ROOT = resolve(__dirname, '../..');
const EXAMPLES = join(ROOT, 'examples');

jest.setTimeout(120_000);

describe('the worked example of an agent', () => {
  let folder: UserFolder;
  beforeEach(() => (folder = new UserFolder()));
  afterEach(() => folder.remove());

  it('[US3-1] is typed outside the repository, and a mistake in it is found', () => {
    const compile = (): string => {
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
      return spawnSync(process.execPath, [tsc, '-p', folder.path], { encoding: 'utf8' }).stdout;
    };
    folder.write(
      'tsconfig.json',
      JSON.stringify({ extends: join(EXAMPLES, 'strategies/tsconfig.json'), include: ['*.ts'] }),
    );
    copyFileSync(folder.example, join(folder.path, 'mine.ts'));
    expect(compile()).toBe('');
    const code = readFileSync(folder.example, 'utf8');
    folder.write('mine.ts', code.replace('event.data.close', 'event.data.closing').replace("'BUY'", "'LONG'"));
    const found = compile();
    expect(found).toContain("Property 'closing' does not exist");
    expect(found).toContain('"LONG"');
  });

  it('[US3-1] is what the example configuration names, and that configuration is valid', () => {
    const given: unknown = JSON.parse(readFileSync(join(EXAMPLES, 'sma-2022.json'), 'utf8'));
    const config = Value.Default(backtestConfigSchema, given);
    expect([...Value.Errors(backtestConfigSchema, config)]).toEqual([]);
    const [strategy] = loadStrategies((config as BacktestConfig).strategies, EXAMPLES);
    expect(strategy).toMatchObject({ name: 'sma-flip', weight: 1 });
  });

  it('signals a crossing once, keeps its side at a tie, and only remembers the first side', () => {
    const prices = [10, 10, 10, 12, 14, 10, 6, 6, 6, 6, 12];
    const ticks = prices.map((price, index) => {
      const timestamp = Date.UTC(2022, 0, 1) + index * 1_000;
      return testEvent('price.tick', timestamp, {
        token: 'BTC',
        price,
        volume_1m: 0,
        timestamp,
        instrument: 'BTC.X',
        kind: 'last',
      });
    });
    const [strategy] = loadStrategies(
      [{ path: 'strategies/sma-flip.ts', config: { fast: 1, slow: 3, on: 'ticks' } }],
      EXAMPLES,
    );
    const { of } = driveHandler(strategy!.handlers[0]!, ticks);
    // Up at 12 is the first side; down at 10 after 14; the three 6 tie; up at 12.
    expect(
      of('signal.generated').map(({ action, timestamp }) => [action, (timestamp - Date.UTC(2022, 0, 1)) / 1_000]),
    ).toEqual([
      ['SELL', 5],
      ['BUY', 10],
    ]);
  });

  it('refuses a configuration that makes no sense, in one sentence', () => {
    expect(() =>
      loadStrategies([{ path: 'strategies/sma-flip.ts', config: { fast: 50, slow: 20 } }], EXAMPLES),
    ).toThrow(/^Agent .*sma-flip\.ts: its createAgents throws: fast is 50 and slow is 20; expected are whole numbers/);
  });

  it('cannot be loaded twice under one name, nor under that of an agent of the platform', () => {
    const path = 'strategies/sma-flip.ts';
    expect(() => loadStrategies([{ path }, { path }], EXAMPLES)).toThrow(
      'the name "sma-flip" is taken; give it another "name"',
    );
    expect(() => loadStrategies([{ path, name: 'chart_agent' }], EXAMPLES)).toThrow('the name "chart_agent" is taken');
    expect(() => loadStrategies([{ path, name: 'chart' }], EXAMPLES)).toThrow(
      'its handler "agent/chart" has the name of another one',
    );
  });
});
