import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult } from '@moon/kernel';
import { writeCandles } from '../../../tests/support/market';
import { PlatformProcess } from '../../../tests/support/platform';
import { Child, lastJson } from '../../../tests/support/processes';
import { CommandLine, until } from './testing/command-line';

const CLI = 'apps/cli/src/main.js';
const START = Date.UTC(2021, 4, 19);

describe('the command line on what the platform has recorded', () => {
  const line = new CommandLine();
  let result: RunResult;

  beforeAll(async () => {
    const file = join(line.folder, 'crash.csv');
    const market = { seed: 3, minutes: 480, start: START, symbols: [{ symbol: 'BTCUSDT', price: 40_000 }] };
    writeCandles(file, { ...market, crashAt: 420, crashShare: 0.32 });
    const positions = [{ instrument: 'BTC.HYPERLIQUID', side: 'long', quantity: '7', price: '40000' }];
    const portfolios = [{ name: 'main', positions, instruments: [{ instrument: 'BTC.HYPERLIQUID', leverage: 5 }] }];
    const ended = await new Child('apps/standalone/src/main.js', [
      ...['--feed', 'recorded', '--from', file, '--speed', 'max', '--exit', '--json', '--port', '0'],
      ...['--data-dir', line.dataDir, '--set', `platform.portfolios=${JSON.stringify(portfolios)}`],
    ]).ended;
    expect(ended.code).toBe(0);
    result = lastJson<RunResult>(ended);
  }, 90_000);
  afterAll(() => line.remove());

  it('shows the same portfolio, events and run as the run’s own result', async () => {
    expect(result.fills).toBeGreaterThan(0);
    interface Shown {
      run: string;
      portfolios: {
        cash: string;
        realisedPnl: string;
        fees: string;
        funding: string;
        equity: number;
        positions: unknown[];
      }[];
    }
    const shown = await line.json<Shown>('portfolio');
    const [main] = result.portfolios;
    expect(shown.run).toBe(result.run);
    expect(shown.portfolios).toHaveLength(1);
    const { cash, realisedPnl, fees, funding } = main!;
    expect(shown.portfolios[0]).toMatchObject({ cash, realisedPnl, fees, funding });
    expect(shown.portfolios[0]!.positions).toHaveLength(main!.positions.length);
    expect(shown.portfolios[0]!.equity).toBeCloseTo(main!.equity, 6);
    const { out } = await line.moon('events', '--from', '0', '--limit', '100000', '--json');
    expect(out).toHaveLength(result.events);
    const [run] = await line.json<{ runId: string; status: string; events: number }[]>('runs');
    expect(run).toMatchObject({ runId: result.run, status: 'finished', events: result.events });
  }, 60_000);

  it('traces a forced close from the price that caused it to the closed position', async () => {
    const { out: closed } = await line.moon('events', '--type', 'position.closed', '--json', '--limit', '1');
    const { id } = JSON.parse(closed[0]!) as { id: string };
    const { path } = await line.json<{ path: { type: string }[] }>('trace', id.slice(0, 12));
    const types = path.map(({ type }) => type);
    expect(types[0]).toBe('position.closed');
    expect(types).toEqual(
      expect.arrayContaining(['venue.report', 'order.submitted', 'order.approved', 'risk.critical']),
    );
    expect(types[types.length - 1]).toMatch(/^(bar|price)\./);
    const { out } = await line.moon('trace', id);
    expect(out[0]).toMatch(/^2021-05-19 /);
    expect(out.some((text) => text.includes('► ') && text.includes('position.closed'))).toBe(true);
  }, 60_000);

  it('finds the log of the run in order', async () => {
    const config = join(line.folder, 'moon.yaml');
    writeFileSync(config, 'port: 0\n');
    expect(await line.moon('doctor', '--config', config)).toMatchObject({ code: 0 });
  }, 60_000);

  it('works as a program from a folder below, with the nearest .moon', async () => {
    const below = join(line.folder, 'a', 'b');
    mkdirSync(below, { recursive: true });
    mkdirSync(join(line.folder, '.moon'));
    const script = `process.chdir(${JSON.stringify(below)}); process.argv.splice(1, 1, 'moon'); require(process.env.CLI);`;
    const starter = join(line.folder, 'start.cjs');
    writeFileSync(starter, script);
    const program = (...argv: string[]) => new Child(starter, argv, { CLI: join(process.cwd(), 'dist', CLI) }).ended;
    expect(await program('runs')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`There are no data in ${join(line.folder, '.moon')}`),
    });
    expect(await program('runs', '--data-dir', '../../data')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(result.run),
    });
    expect(await program('rnus')).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean runs?') });
  }, 60_000);
});

describe('the command line beside a running platform', () => {
  const line = new CommandLine();
  const mended = join(line.folder, 'mended');
  let platform: PlatformProcess;

  beforeAll(async () => {
    const agent = join(line.folder, 'clumsy.cjs');
    writeFileSync(
      agent,
      `const { existsSync } = require('node:fs');
      exports.createAgents = () => [{
        name: 'agent/clumsy', role: 'agent', partitionedBy: 'token', consumes: ['bar.closed'],
        initialState: () => ({ bars: 0 }),
        handle(event, state) {
          state.bars += 1;
          if (!event.headers.warmup && !existsSync(${JSON.stringify(mended)})) throw new Error('I stumbled.');
        },
      }];`,
    );
    const settings = ['--set', `userAgents=${JSON.stringify([agent])}`];
    platform = new PlatformProcess(['--port', '0', '--data-dir', line.dataDir, ...settings]);
    await platform.ready();
  }, 90_000);
  afterAll(async () => {
    await platform.interrupt();
    line.remove();
  }, 60_000);

  it('[AGT-3] an agent’s error is listed, its event shown, and delivered again once the agent is mended', async () => {
    const listed = async () =>
      (await line.json<{ letters: { handler: string; eventId: string }[] }>('dead-letters')).letters;
    let letters = await listed();
    for (const deadline = Date.now() + 30_000; letters.length === 0 && Date.now() < deadline;) letters = await listed();
    const [letter] = letters;
    expect(letter).toMatchObject({
      kind: 'skipped',
      handler: 'agent/clumsy',
      error: expect.stringContaining('I stumbled.'),
    });
    const { out } = await line.moon('dead-letters', 'show', letter!.eventId);
    expect(out.join('\n')).toMatch(/"type": "bar\.closed"/);

    expect(await line.moon('dead-letters', 'replay', letter!.eventId)).toMatchObject({
      code: 1,
      err: [expect.stringContaining('failed at it again')],
    });
    writeFileSync(mended, '');
    expect(await line.moon('dead-letters', 'replay', letter!.eventId)).toMatchObject({
      code: 0,
      out: [expect.stringContaining('did not fail')],
    });
    expect((await listed()).map(({ eventId }) => eventId)).not.toContain(letter!.eventId);
  }, 90_000);

  it('halts and lifts: the portfolio shows it, a tail sees it', async () => {
    const tail = line.start(['events', '--tail', '--type', 'halt.raised', 'halt.lifted']);
    await until(() => tail.said.err.length > 0);
    expect(await line.moon('halt', '--portfolio', 'main', '--reason', 'maintenance')).toMatchObject({ code: 0 });
    expect((await line.moon('portfolio', 'main')).out.join('\n')).toMatch(/HALTED by operator: maintenance/);
    expect(await line.moon('lift', '--portfolio', 'main', '--reason', 'maintenance')).toMatchObject({ code: 0 });
    expect((await line.moon('portfolio', 'main')).out.join('\n')).toMatch(/not halted/);
    await until(() => tail.said.out.length === 2);
    tail.interrupt();
    await tail.ended;
    expect(tail.said.out.map((text) => /halt\.\w+/.exec(text)?.[0])).toEqual(['halt.raised', 'halt.lifted']);
  }, 60_000);
});
