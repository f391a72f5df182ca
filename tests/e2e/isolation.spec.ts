import { createServer, type Server } from 'node:http';
import { readdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { sourceOf } from '@moon/kernel';
import { loadStrategies, replay, runBacktest, type BacktestConfig, backtestConfigSchema } from '@moon/backtesting';
import { Value } from '@sinclair/typebox/value';
import type { AnyEvent } from '@moon/events';
import { readFileSync } from 'node:fs';
import { UserFolder } from '../support/user-folder';
import { platformConfig, recordedInputs, replayOptions } from '../support/recorded';

/** What an agent might try on every bar; each attempt notes what came of it in its reason. */
const ATTEMPTS: Record<string, string> = {
  'a live topic': `out.emit('system.ready', {})`,
  'a trading decision': `out.emit('trade.executed', {})`,
  'another portfolio': `out.send({ type: 'RaiseHalt', key: 'global', source: name, scope: 'global', reason: 'mine' })`,
  'the network by http': `require('node:http').get(config.url)`,
  'the network by net': `require('net').connect(config.port)`,
  'the network by fetch': `fetch(config.url)`,
  'another process': `require('child_process').execSync('touch ' + config.folder + '/touched')`,
  'a file': `require('fs').writeFileSync(config.folder + '/touched', '')`,
  'the environment': `process.env.MOON_LEFT = 'left'`,
  'the global object': `globalThis.left = 'left'`,
  'a timer': `setTimeout(() => fetch(config.url), 1)`,
};

describe('a replay is isolated', () => {
  const folder = new UserFolder();
  const requests: string[] = [];
  let live: Server;
  let port = 0;
  beforeAll(async () => {
    // Stands for everything that is live: broker, cache, venue and notifier are all reached over a socket.
    live = createServer((request, response) => {
      requests.push(request.url ?? '');
      response.end();
    });
    live.on('connection', () => requests.push('connection'));
    await new Promise<void>((resolve) => live.listen(0, '127.0.0.1', resolve));
    port = (live.address() as AddressInfo).port;
    folder.bars(30);
  });
  afterAll(async () => {
    await new Promise<void>((resolve) => live.close(() => resolve()));
    folder.remove();
  });

  it.each(Object.entries(ATTEMPTS))('[US3-2] from %s, also when an agent tries', async (_what, attempt) => {
    folder.write(
      'tries.js',
      `exports.createAgents = (config, { name }) => [{
        name: 'agent/' + name, role: 'agent', partitionedBy: 'token', consumes: ['bar.closed'], initialState: () => ({}),
        handle(event, state, out) { ${attempt}; },
      }];`,
    );
    const before = readdirSync(folder.path).sort();
    const strategies = loadStrategies(
      [{ path: 'tries.js', config: { url: `http://127.0.0.1:${port}/live`, port, folder: folder.path } }],
      folder.path,
    );
    const platform = platformConfig({
      consensus: { minimumAgents: 1 },
      portfolios: [
        {
          name: 'main',
          accountModel: 'cash-short-credit',
          settlementAsset: 'USDT',
          instruments: [{ instrument: 'BTCUSDT.BINANCE-SPOT', leverage: 1 }],
        },
      ],
    });
    const inputs = await recordedInputs([`${folder.path}/BTCUSDT-1m.csv`]);
    const result = await replay({ ...replayOptions(inputs, platform), strategies, isGuarded: true });
    expect(result.strategyFailures).toMatchObject([{ handler: 'agent/tries', count: 30 }]);
    for (const type of ['system.ready', 'trade.executed', 'halt.raised'])
      expect(result.eventsByType[type]).toBeUndefined();
    // Long enough for a timer or a request to get away.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(requests).toEqual([]);
    expect(readdirSync(folder.path).sort()).toEqual(before);
    expect(process.env.MOON_LEFT).toBeUndefined();
    expect((globalThis as { left?: unknown }).left).toBeUndefined();
  });

  it('[US3-2] two at a time share nothing: each gives what it gives alone', async () => {
    const config = Value.Default(
      backtestConfigSchema,
      JSON.parse(readFileSync(folder.backtest('twice.js'), 'utf8')),
    ) as BacktestConfig;
    folder.write(
      'twice.js',
      `let seen = 0;
       exports.createAgents = (_config, { name }) => [{
         name: 'agent/' + name, role: 'agent', partitionedBy: 'token', consumes: ['bar.closed'], initialState: () => ({ bars: 0 }),
         handle(event, state, out) {
           seen += 1; state.bars += 1;
           if (state.bars % 5 !== 0) return;
           out.emit('signal.generated', { token: out.key, action: state.bars % 2 ? 'BUY' : 'SELL', score: 100, confidence: 1, agent: name, reason: 'seen ' + seen, timestamp: out.now });
         },
       }];`,
    );
    const run = async (): Promise<string[]> => {
      const inputs = await recordedInputs([`${folder.path}/BTCUSDT-1m.csv`]);
      const events: AnyEvent[] = [];
      for (let batch = await inputs.nextBatch(); batch; batch = await inputs.nextBatch()) events.push(...batch);
      const ids: string[] = [];
      await runBacktest(
        { id: 'twice', config, folder: folder.path, codeVersion: 'test', commit: null },
        {
          openInputs: () =>
            Promise.resolve({
              ...{ source: sourceOf(events), names: ['bars'], instruments: inputs.instruments, fundingInstruments: [] },
              ...{
                firstAt: events[0]!.occurredAt,
                lastAt: events[events.length - 1]!.occurredAt,
                startsAt: inputs.startsAt,
              },
              fingerprint: () => inputs.fingerprint,
              reader: () => ({ duplicatesCollapsed: 0, conflicts: 0, refusedByReason: {} }),
              close: () => Promise.resolve(),
            }),
          archive: () => ({ append: ({ event }) => void ids.push(`${event.id} ${JSON.stringify(event.data)}`) }),
        },
      );
      return ids;
    };
    const alone = await run();
    const [one, other] = await Promise.all([run(), run()]);
    expect(alone.filter((line) => line.includes('seen '))).not.toEqual([]);
    expect(one).toEqual(alone);
    expect(other).toEqual(alone);
  });
});
