import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import type { ParityReport, VenueParity } from '@moon/backtesting';
import { createRoles, lockDataDir, RunRegistry, startEmbeddedPostgres } from '@moon/infra';
import { writeCandles } from '../../../../../tests/support/market';
import { EAGER_PLATFORM } from '../../../../../tests/support/platform';
import { Child } from '../../../../../tests/support/processes';
import { CommandLine } from '../../testing/command-line';
import { FakePlatform } from '../../testing/platform';

interface StoredRow {
  seq: string;
  event_id: string;
  data: Record<string, unknown>;
}

describe('moon parity', () => {
  const line = new CommandLine();
  afterAll(() => line.remove());

  beforeAll(async () => {
    const [file, settings] = [join(line.folder, 'candles.csv'), join(line.folder, 'settings.json')];
    writeCandles(file, {
      ...{ seed: 5, minutes: 400, start: Date.UTC(2024, 4, 1) },
      symbols: [{ symbol: 'BTCUSDT', price: 40_000 }],
    });
    writeFileSync(settings, JSON.stringify({ platform: EAGER_PLATFORM }));
    const from = ['--feed', 'recorded', '--from', file, '--speed', 'max', '--exit', '--json'];
    const args = [...from, '--config', settings, '--data-dir', line.dataDir, '--port', '0'];
    const ended = await new Child('apps/standalone/src/main.js', args).ended;
    if (ended.code !== 0) throw new Error(ended.stderr);
  }, 120_000);

  /** Works on the run's database as its superuser, whom no trigger stops. */
  async function tamper<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const lock = lockDataDir(line.dataDir);
    const server = await startEmbeddedPostgres({ dataDir: line.dataDir });
    try {
      const registry = await RunRegistry.open(await createRoles(server));
      const [run] = await registry.listRuns();
      await registry.close();
      const { host, port, user, password } = server;
      const client = new Client({ host, port, user, password, database: run?.database });
      await client.connect();
      await client.query('SET session_replication_role = replica');
      return await work(client).finally(() => client.end());
    } finally {
      await server.stop();
      lock.release();
    }
  }

  const rowOf = async (client: Client, type: string): Promise<StoredRow> => {
    const sql = 'SELECT seq, event_id, data FROM log WHERE type = $1 ORDER BY seq OFFSET 3 LIMIT 1';
    return (await client.query<StoredRow>(sql, [type])).rows[0] as StoredRow;
  };

  it('[US3-3] says that a run is equal, as text and as one line of JSON, and ends with 0', async () => {
    const { code, out, err } = await line.moon('parity');
    expect(out[0]).toMatch(/^EQUAL: all [\d,]+ events that handlers emitted are made again/);
    expect(out.join('\n')).toMatch(/Taken as recorded: [\d,]+ inputs/);
    expect(err[err.length - 1]).toMatch(/^Run recorded-.*: [\d,]+ events in/);
    expect(code).toBe(0);
    const report = await line.json<ParityReport & { run: string; venue: VenueParity }>('parity');
    // The venue's own journal gives the reports of the log again.
    expect(report.venue).toMatchObject({ equal: true, pending: 0, firstDifference: null });
    expect(report.venue.compared).toBe(report.inputsByType['venue.report']);
    expect(report).toMatchObject({ equal: true, firstDivergence: null, run: expect.stringMatching(/^recorded-/) });
    expect(report.compared).toBeGreaterThan(500);
    expect(report.state?.equal).toBe(true);
  }, 60_000);

  it('[US3-3] finds a fill that a superuser changed by the smallest unit, shows it side by side, and ends with 1', async () => {
    let changed: StoredRow | null = null;
    const write = (client: Client, { seq, data }: StoredRow): Promise<unknown> =>
      client.query('UPDATE stream_events SET data = $2::json WHERE seq = $1', [seq, JSON.stringify(data)]);
    await tamper(async (client) => {
      changed = await rowOf(client, 'trade.executed');
      const fee = String(changed.data.fee);
      const last = (Number(fee.slice(-1)) + 1) % 10;
      await write(client, { ...changed, data: { ...changed.data, fee: `${fee.slice(0, -1)}${last}` } });
    });
    const row = changed as unknown as StoredRow;
    const { code, out } = await line.moon('parity');
    expect(code).toBe(1);
    expect(out[0]).toMatch(/^NOT EQUAL: 1 divergence \(1 differs\)/);
    const text = out.join('\n');
    expect(text).toContain('trade.executed of execution differs in data.fee.');
    expect(text).toMatch(new RegExp(`data\\.fee +"[\\d.]+" +"${String(row.data.fee)}"`));
    expect(text).toMatch(/It comes of .* venue\.report/);
    expect(text).toMatch(/Chain, from the root:/);
    const seq = Number(row.seq);
    const { firstDivergence } = JSON.parse((await line.moon('parity', '--json')).out[0] ?? '') as ParityReport;
    expect(firstDivergence).toMatchObject({ kind: 'differs', seq, recorded: { id: row.event_id } });
    await tamper(async (client) => void (await write(client, row)));
  }, 90_000);

  it('[US3-3] finds a report of the venue that was changed, against the venue’s own journal too', async () => {
    const { seq, data } = await tamper(async (client) => {
      const sql = `SELECT seq, event_id, data FROM log WHERE type = 'venue.report' AND data ->> 'price' IS NOT NULL ORDER BY seq LIMIT 1`;
      const row = (await client.query<StoredRow>(sql)).rows[0] as StoredRow;
      const text = JSON.stringify({ ...row.data, price: `${Number(row.data.price) + 1}` });
      for (const table of ['events', 'stream_events'])
        await client.query(`UPDATE ${table} SET data = $2::json WHERE seq = $1`, [row.seq, text]);
      return row;
    });
    const { code, out } = await line.moon('parity', '--json');
    const report = JSON.parse(out[0] ?? '') as ParityReport & { venue: VenueParity };
    expect(code).toBe(1);
    expect(report.firstDivergence).toMatchObject({ type: 'trade.executed', cause: { seq: Number(seq) } });
    expect(report.venue).toMatchObject({ equal: false, differences: 1, firstDifference: { seq: Number(seq) } });
    expect(report.venue.firstDifference?.paths).toEqual([
      { path: 'data.price', recorded: `${Number(data.price) + 1}`, replayed: data.price },
    ]);
  }, 60_000);

  it('[US3-3] asks no model again: where an answer was taken out it compares nothing, says so, and ends with 2', async () => {
    let seq = 0;
    await tamper(async (client) => {
      seq = Number((await rowOf(client, 'inference.completed')).seq);
      await client.query('DELETE FROM events WHERE seq = $1', [seq]);
    });
    const { code, out, err } = await line.moon('parity');
    expect({ code, out }).toEqual({ code: 2, out: [] });
    expect(err.join('\n')).toMatch(
      new RegExp(`The log lacks position ${seq}\\..*An answer of a model may be among it`),
    );
  }, 60_000);
});

describe('moon parity, where there is nothing to compare', () => {
  const line = new CommandLine();
  afterAll(() => line.remove());

  it('ends with 2 and says what is wrong: no data, no such run, no such module, no run of a platform', async () => {
    const none = await line.moon('parity');
    expect(none).toMatchObject({ code: 2, out: [], err: [expect.stringMatching(/There are no data in .*--data-dir/)] });

    const platform = await FakePlatform.start(line.dataDir);
    try {
      expect(await line.moon('parity')).toMatchObject({ code: 2, err: [expect.stringMatching(/log is empty/)] });
      await platform.say('price.tick');
      expect(await line.moon('parity')).toMatchObject({ code: 2, err: [expect.stringMatching(/holds no settings/)] });
    } finally {
      await platform.stop();
    }
    expect(await line.moon('parity', '--run', 'nowhere')).toMatchObject({ code: 2 });
    const agents = await line.moon('parity', '--agents', 'nowhere.js');
    expect(agents).toMatchObject({ code: 2, err: [expect.stringMatching(/there is no file/)] });
    mkdirSync(line.folder, { recursive: true });
    writeFileSync(join(line.folder, 'empty.js'), 'module.exports = {};');
    const empty = await line.moon('parity', '--agents', 'empty.js');
    expect(empty).toMatchObject({ code: 2, err: [expect.stringMatching(/exports no function createAgents/)] });
  }, 60_000);
});
