import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { CommandLine } from '../../testing/command-line';
import { FakePlatform } from '../../testing/platform';
import { checkNode } from './checks/machine';
import type { Finding } from './finding';

interface Report {
  healthy: boolean;
  findings: Finding[];
}

let line: CommandLine;

beforeEach(() => {
  line = new CommandLine();
});
afterEach(() => line.remove());

const config = (content: string): string => {
  const path = join(line.folder, 'moon.yaml');
  writeFileSync(path, content);
  return path;
};
const wrongs = async (...argv: string[]): Promise<Finding[]> => {
  const { healthy, findings } = await line.json<Report>('doctor', ...argv);
  const found = findings.filter(({ status }) => status === 'wrong');
  expect(healthy).toBe(found.length === 0);
  for (const { mend } of found) expect(mend).toBeTruthy();
  return found;
};
/** The default port may be taken on the machine that tests. */
const ANY_PORT = 'port: 0\n';

describe('moon doctor', () => {
  it('finds a fresh machine in order, after it has started a server for a try', async () => {
    const { code, out } = await line.moon('doctor', '--config', config(ANY_PORT));
    const text = out.join('\n');
    expect(text).toMatch(/^ok {5}node: Node \d+/);
    expect(text).toMatch(/note {3}data directory: .* is not there yet/);
    expect(text).toMatch(/ok {5}database: There are no data yet; a PostgreSQL server starts on this machine/);
    expect(out[out.length - 1]).toMatch(/^Nothing is wrong; see \d+ notes? above\.$/);
    expect(code).toBe(0);
  }, 60_000);

  it('names every setting that is wrong, with the nearest right name', async () => {
    const found = await wrongs('--config', config(`${ANY_PORT}fed: {}\nplatform:\n  consensus:\n    threshold: 20\n`));
    expect(found.map(({ check }) => check)).toEqual(['configuration', 'configuration']);
    expect(found[0]!.detail).toMatch(/"fed" .* is not a setting\. Did you mean "feed"\?/);
    expect(found[1]!.detail).toMatch(/platform\.consensus\.threshold/);
  }, 60_000);

  it('tries whether the configured portfolios could be opened', async () => {
    const portfolios = [
      '{ name: twice, instruments: [{ instrument: BTC.NOWHERE, leverage: 3 }] }',
      '{ name: twice, limits: { max_leverege: 3 } }',
      '{ name: keen, instruments: [{ instrument: BTC.HYPERLIQUID, leverage: 90 }] }',
    ];
    const found = await wrongs('--config', config(`${ANY_PORT}platform:\n  portfolios: [${portfolios.join(', ')}]\n`));
    const details = found.map(({ detail }) => detail).join('\n');
    expect(details).toMatch(/two portfolios called "twice"/);
    expect(details).toMatch(/BTC\.NOWHERE/);
    expect(details).toMatch(/max_leverege/);
    expect(details).toMatch(/BTC\.HYPERLIQUID allows a leverage of \d+/);
  }, 60_000);

  it('tells when the configuration cannot even be read', async () => {
    expect(await wrongs('--config', config('a: [1'))).toEqual([
      expect.objectContaining({ detail: expect.stringMatching(/cannot be read as YAML/) }),
    ]);
    expect(await wrongs('--config', 'nowhere.yaml')).toEqual([
      expect.objectContaining({ detail: expect.stringMatching(/nowhere\.yaml/) }),
    ]);
  }, 60_000);

  it('tells when another program has the port', async () => {
    const other: Server = createServer();
    const port = await new Promise<number>((resolve) =>
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port)),
    );
    const found = await wrongs('--config', config(`port: ${port}\n`));
    other.close();
    expect(found).toEqual([
      expect.objectContaining({ check: 'port', detail: `Port ${port} is taken by another program.` }),
    ]);
  }, 60_000);

  it('tells when the data directory cannot be made', async () => {
    writeFileSync(line.dataDir, 'a file');
    const { code, out } = await line.moon(
      'doctor',
      '--data-dir',
      join(line.dataDir, 'below'),
      '--config',
      config(ANY_PORT),
    );
    expect(code).toBe(1);
    expect(out.join('\n')).toMatch(/WRONG {2}data directory: .* cannot be written to/);
  }, 60_000);

  it('refuses a Node that is too old', () => {
    expect(checkNode('18.20.4')).toMatchObject({ status: 'wrong', detail: expect.stringMatching(/too old/) });
    expect(checkNode('20.19.0').status).toBe('ok');
    expect(checkNode('24.1.0').status).toBe('ok');
  });
});

describe('moon doctor, on a store', () => {
  let platform: FakePlatform;

  beforeEach(async () => {
    mkdirSync(line.dataDir);
    platform = await FakePlatform.start(line.dataDir);
    const tick = await platform.say('price.tick');
    await platform.say('portfolio.deposited', {}, { cause: tick });
  }, 60_000);
  afterEach(() => platform.stop());

  const inOrder = ['--config', ''];
  beforeEach(() => (inOrder[1] = config(ANY_PORT)));

  it('looks at the store of a running platform without disturbing it', async () => {
    const { findings, healthy } = await line.json<Report>('doctor', ...inOrder);
    const details = findings.map(({ check, detail }) => `${check}: ${detail}`);
    expect(details).toContain(`lock: The platform is running (process ${process.pid}).`);
    expect(details).toContain(
      `database: The PostgreSQL server of the running platform (process ${process.pid}) answers.`,
    );
    expect(details).toContain('log synthetic: 2 events: no gap, and no event without its cause.');
    expect(healthy).toBe(true);
    await platform.say('price.tick');
    expect(await platform.store.lastSeq()).toBe(3);
  });

  it('finds a gap in the log', async () => {
    const last = await platform.say('price.tick');
    await platform.store.appendBatch([
      {
        seq: 7,
        event: {
          ...last,
          id: '00000000-0000-5000-8000-000000000007',
          correlationId: '00000000-0000-5000-8000-000000000007',
        },
      },
    ]);
    expect(await wrongs(...inOrder)).toEqual([
      expect.objectContaining({ check: 'log synthetic', detail: 'Position 4 is missing: 7 follows 3.' }),
    ]);
  });

  it('finds an event whose cause is not there', async () => {
    const lost = await platform.say('price.tick');
    await platform.say('risk.alert', {}, { cause: { ...lost, id: '00000000-0000-5000-8000-000000000009' } });
    const found = await wrongs(...inOrder);
    expect(found.map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/\(4\) was caused by 00000000-0000-5000-8000-000000000009, which is not before it/),
    ]);
  });

  it('finds a run whose database is gone, and looks at the others all the same', async () => {
    const { run } = await platform.registry.openRun({ mode: 'imported' });
    const client = new Client({ ...platform.access.owner, database: 'postgres' });
    await client.connect();
    await client.query(`DROP DATABASE ${run.database}`);
    await client.end();
    const { findings } = await line.json<Report>('doctor', ...inOrder);
    expect(
      findings.filter(({ status }) => status === 'wrong').map(({ check, detail }) => `${check}: ${detail}`),
    ).toEqual([expect.stringMatching(/^schema imported: Database moon_imported cannot be used: .*does not exist/)]);
    expect(findings.map(({ check }) => check)).toContain('log synthetic');
  });

  it('starts the server by itself when no platform runs, and takes a dead one’s lock', async () => {
    await platform.stop();
    writeFileSync(join(line.dataDir, 'moon.lock'), JSON.stringify({ pid: 1, startedAt: 'never' }));
    const { findings } = await line.json<Report>('doctor', ...inOrder);
    const details = findings.map(({ check, status, detail }) => `${status} ${check}: ${detail}`);
    expect(details).toContain('note lock: The last instance did not end by itself; the next start takes its lock.');
    expect(details).toContain('ok database: The PostgreSQL server starts and answers.');
    platform = await FakePlatform.start(line.dataDir);
  }, 60_000);
});
