import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkClusterParity, clusterConfigSchema, shardOfKey, type ClusterConfig } from '@moon/cluster';
import { loadConfig } from '@moon/infra';
import { CHOKING, Deployment, POISON, until } from '../../../../libs/cluster/src/testing/deployment';
import { startTestServer, type TestServer } from '../../../../libs/infra/src/testing/postgres';
import { tick } from '../../../../libs/kernel/src/testing/venue-desk';
import { CommandLine } from '../testing/command-line';

const SHARDS = 3;
const PORTFOLIOS = ['main', 'second', 'third', 'fourth'];

const settings = {
  platform: {
    portfolios: PORTFOLIOS.map((name) => ({ name, instruments: [{ instrument: 'BTC.HYPERLIQUID', leverage: 1 }] })),
  },
  kafka: { brokers: ['127.0.0.1:1'] },
};

describe('operators and a deployment', () => {
  const line = new CommandLine();
  let test: TestServer;
  let where: string[];
  /** The same, with time for a machine that does other things, too. */
  let patient: string[];
  let platform: Deployment;
  let config: ClusterConfig;
  let isStopped: boolean;

  beforeAll(async () => {
    test = await startTestServer();
  }, 180_000);
  afterAll(async () => {
    await test.stop();
    line.remove();
  });
  beforeEach(async () => {
    const database = await test.clusterDatabase();
    const { host, port, user, password } = test.server;
    const postgres = { hosts: [`${host}:${port}`], superuser: user, password, database };
    const file = join(line.folder, `${database}.json`);
    writeFileSync(file, JSON.stringify({ ...settings, postgres }));
    where = ['--cluster', '--config', file];
    patient = [...where, '--wait', '60'];
    config = loadConfig(clusterConfigSchema, { env: {}, file });
    platform = new Deployment(test.access, database, config);
    await platform.start();
    isStopped = false;
  }, 120_000);
  afterEach(async () => {
    if (!isStopped) await platform.stop();
  });

  const haltsOf = (portfolio: string): readonly unknown[] => platform.haltsOf(portfolio);

  it('halts a portfolio and lifts the halt, in the name of who asked; a restart changes nothing', async () => {
    const halted = await line.moon('halt', '--portfolio', 'second', '--reason', 'maintenance', ...patient);
    expect(halted).toMatchObject({
      code: 0,
      out: [
        expect.stringMatching(/^Portfolio second is halted: maintenance\. Recorded in portfolio-second; asked by /),
      ],
    });
    const [raised, ...others] = await platform.of('halt.raised');
    const [asked] = await platform.of('operator.command');
    expect(others).toEqual([]);
    expect(raised).toMatchObject({ causationId: asked!.id, data: { source: 'operator', portfolio: 'second' } });
    expect((asked!.data as { requestedBy: string }).requestedBy).toMatch(/.@./);
    expect(haltsOf('second')).toHaveLength(1);
    expect(haltsOf('main')).toHaveLength(0);
    expect(await line.moon('halt', '--portfolio', 'second', '--reason', 'maintenance', ...patient)).toMatchObject({
      code: 0,
      out: [expect.stringMatching(/already/)],
    });
    platform.kill();
    await platform.start();
    expect(haltsOf('second')).toHaveLength(1);
    const lifted = await line.moon('lift', '--portfolio', 'second', ...patient);
    expect(lifted).toMatchObject({ code: 0, out: [expect.stringMatching(/the halt "maintenance" is lifted/)] });
    expect(haltsOf('second')).toHaveLength(0);
    expect(await platform.of('halt.raised', 'halt.lifted')).toHaveLength(2);
  }, 180_000);

  it('halts all portfolios: every shard that has one says so', async () => {
    const shards = new Set(PORTFOLIOS.map((name) => shardOfKey(name, SHARDS)));
    expect(shards.size).toBeGreaterThan(1);
    const { requests } = await line.json<{ requests: { eventId: string }[] }>(
      ...['halt', '--global', '--reason', 'venue down', ...patient],
    );
    const raised = await platform.of('halt.raised');
    expect(raised).toHaveLength(shards.size);
    for (const { causationId } of raised) expect(causationId).toBe(requests[0]!.eventId);
    await until(() => PORTFOLIOS.every((name) => haltsOf(name).length === 1));
    const { code, out } = await line.moon('lift', '--global', ...patient);
    expect({ code, out }).toEqual({ code: 0, out: [expect.stringMatching(/the halt "venue down" is lifted/)] });
    await until(() => PORTFOLIOS.every((name) => haltsOf(name).length === 0));
  }, 180_000);

  it('halts a portfolio, too, that is opened later in a shard that had none, until all are free again', async () => {
    const [main] = config.platform.portfolios;
    const names = Array.from({ length: 20 }, (_, index) => `late-${index}`);
    const taken = new Set(PORTFOLIOS.map((name) => shardOfKey(name, SHARDS)));
    const late = names.find((name) => !taken.has(shardOfKey(name, SHARDS)))!;
    expect(late).toBeDefined();
    await line.moon('halt', '--global', '--reason', 'venue down', ...patient);
    await until(() => PORTFOLIOS.every((name) => haltsOf(name).length === 1));
    await platform.settled();
    platform.kill();
    config.platform.portfolios.push({ ...main!, name: late });
    await platform.start();
    await until(() => haltsOf(late).length === 1);
    expect(haltsOf(late)).toMatchObject([{ source: 'global:operator', scope: 'portfolio', reason: 'venue down' }]);
    const { code } = await line.moon('lift', '--global', '--reason', 'venue down', ...patient);
    expect(code).toBe(0);
    await until(() => [...PORTFOLIOS, late].every((name) => haltsOf(name).length === 0));
  }, 180_000);

  it('[AGT-3] has a dead letter delivered again; a key that fails again is said to', async () => {
    for (let second = 0; second < 6; second += 1)
      platform.choking.bus.append(tick('BTC.HYPERLIQUID', second * 1_000, POISON - 3 + second));
    await until(async () => (await platform.of('event.skipped', 'key.parked')).length === 2);
    await platform.archive.append(platform.choking.bus.messages());
    const [skipped] = await platform.of('event.skipped');
    const id = (skipped!.data as { skippedEventId: string }).skippedEventId;
    const replayed = await line.moon('dead-letters', 'replay', id, '--handler', 'agent/choking', ...patient);
    expect(replayed).toMatchObject({
      code: 0,
      out: [expect.stringMatching(/^agent\/choking\/BTC of choking#0 was given [0-9a-f]{8} again and did not fail\./)],
    });
    const again = await line.moon('dead-letters', 'replay', id, '--handler', 'saga/choking', ...patient);
    expect(again).toMatchObject({ code: 1, err: [expect.stringMatching(/given [0-9a-f]{8} again and failed again/)] });
    expect(await line.moon('dead-letters', 'replay', id, '--handler', 'agent/choking', ...patient)).toMatchObject({
      code: 2,
      err: [expect.stringMatching(/"agent\/choking" did not give up that event/)],
    });
  }, 180_000);

  it('[US3-3] is in parity with its journals, operators’ commands and restarts included', async () => {
    await line.moon('halt', '--global', '--reason', 'x', ...patient);
    for (let second = 0; second < 6; second += 1)
      platform.choking.bus.append(tick('BTC.HYPERLIQUID', second * 1_000, POISON - 3 + second));
    await until(async () => (await platform.of('event.skipped', 'key.parked')).length === 2);
    await platform.archive.append(platform.choking.bus.messages());
    const [skipped] = await platform.of('event.skipped');
    const id = (skipped!.data as { skippedEventId: string }).skippedEventId;
    for (const handler of ['agent/choking', 'saga/choking'])
      await line.moon('dead-letters', 'replay', id, '--handler', handler, ...patient);
    platform.kill();
    await platform.start();
    await line.moon('lift', '--global', ...patient);
    await platform.settled();
    const { log, archive, journals } = platform;
    for (const name of ['execution', 'choking'] as const) {
      await archive.append(platform[name].bus.messages());
      const report = await checkClusterParity({
        record: { log, archive, journals },
        codeVersion: '1',
        recorderLag: () => Promise.resolve(0),
        only: name === 'choking' ? ['choking#0'] : [0, 1, 2].map((shard) => `execution#${shard}`),
        ...(name === 'choking' && { handlersOf: () => CHOKING }),
      });
      expect(report).toMatchObject({ equal: true, divergences: 0, firstDivergence: null });
      expect(report.compared).toBeGreaterThan(5);
    }
  }, 180_000);

  it.each([
    ['an unknown portfolio', ['halt', '--portfolio', 'man', '--reason', 'x'], 2, /Did you mean "main"/],
    ['the halt of nobody', ['lift', '--portfolio', 'main'], 1, /no operator's halt\. No halt is in force/],
    ['no time', ['halt', '--global', '--reason', 'x', '--wait', '0'], 2, /--wait 0: expected seconds/],
    ['no letter', ['dead-letters', 'replay', 'abcd'], 1, /There are no dead letters/],
  ])('refuses %s in one line', async (_what, argv, code, message) => {
    const said = await line.moon(...argv, ...where);
    expect(said).toEqual({ code, out: [], err: [expect.stringMatching(message)] });
    expect(await platform.of('operator.command')).toEqual([]);
  });

  it('says what is missing when nobody carries it out, and the next start does', async () => {
    platform.kill();
    const { code, err } = await line.moon('halt', '--portfolio', 'main', '--reason', 'x', '--wait', '0.5', ...where);
    expect({ code, err }).toEqual({
      code: 1,
      err: [
        expect.stringMatching(/^moon: Not done within 500 ms: no halt\.raised in 1 stream \(portfolio-main\) yet\./),
      ],
    });
    const again = line.moon('halt', '--portfolio', 'main', '--reason', 'x', ...patient);
    await until(async () => (await platform.of('operator.command')).length === 2);
    await platform.start();
    expect(await again).toMatchObject({ code: 0, out: [expect.stringMatching(/^Portfolio main is halted: x\./)] });
    expect(await platform.of('halt.raised')).toHaveLength(1);
  }, 180_000);

  it('says so where no process has worked yet', async () => {
    await platform.stop();
    isStopped = true;
    const database = await test.clusterDatabase();
    const { code, err } = await line.moon(
      ...['halt', '--global', '--reason', 'x', ...where, '--set', `postgres.database=${database}`],
    );
    expect({ code, err }).toEqual({ code: 1, err: [expect.stringMatching(/has opened no portfolio yet/)] });
  });
});
