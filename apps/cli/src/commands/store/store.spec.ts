import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedServer } from '@moon/infra';
import { CommandLine } from '../../testing/command-line';

describe('moon store prepare', () => {
  const line = new CommandLine();
  const dataDir = mkdtempSync(join(tmpdir(), 'moon-prepare-'));
  let server: EmbeddedServer;

  beforeAll(async () => {
    server = await startEmbeddedPostgres({ dataDir, settings: { fsync: 'off' } });
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
    line.remove();
  });

  /** A file of settings with these passwords. */
  const fileOf = (name: string, passwords: object): string => {
    const { host, port, user } = server;
    const file = join(line.folder, `${name}.json`);
    const kafka = { brokers: ['127.0.0.1:1'] };
    writeFileSync(
      file,
      JSON.stringify({ postgres: { hosts: [`${host}:${port}`], superuser: user, ...passwords }, kafka }),
    );
    return file;
  };

  it('tells what it made, what it found, and what it changed; the others then need the application’s password alone', async () => {
    const { password } = server;
    const all = fileOf('all', { password, ownerPassword: 'owner-1', appPassword: 'app-1' });
    const first = await line.moon('store', 'prepare', '--config', all);
    expect(first).toEqual({
      code: 0,
      out: [
        'Role moon_owner: made.',
        'Role moon_app: made.',
        'Database moon: made.',
        expect.stringMatching(/^Schema: \d+ migrations ran \(EventLog1700000000001, .*\)\.$/),
      ],
      err: [],
    });
    const other = fileOf('other', { password, ownerPassword: 'owner-1', appPassword: 'app-2' });
    expect((await line.moon('store', 'prepare', '--config', other)).out).toEqual([
      'Role moon_owner: is there, with this password.',
      'Role moon_app: was there with another password, and has this one now.',
      'Database moon: is there.',
      'Schema: is the newest one.',
    ]);
    expect(await line.json('store', 'prepare', '--config', fileOf('owner', { ownerPassword: 'owner-1' }))).toEqual({
      database: 'moon',
      databaseOutcome: 'kept',
      roles: null,
      migrations: [],
    });
    const app = fileOf('app', { appPassword: 'app-2' });
    const doctor = (await line.moon('doctor', '--cluster', '--config', app)).out.join('\n');
    expect(doctor).toMatch(/ok {5}event store: Database moon answers/);
    expect(doctor).toMatch(/ok {5}schema: The schema is the newest one/);
    expect(await line.moon('events', '--cluster', '--config', app)).toMatchObject({ code: 0 });
  }, 60_000);

  it.each([
    ['no password', {}, 1, /Neither "postgres\.password" .* nor "postgres\.ownerPassword"/],
    ['half of the roles', { password: 'x', ownerPassword: 'y' }, 1, /give both, or neither/],
    ['a wrong password', { password: 'x' }, 1, /refuses \w+: correct postgres\.superuser and postgres\.password/],
  ])('refuses %s', async (_what, passwords, code, message) => {
    const { err, out, ...ended } = await line.moon('store', 'prepare', '--config', fileOf('wrong', passwords));
    expect({ ...ended, out }).toEqual({ code, out: [] });
    expect(err.join('\n')).toMatch(message);
  });
});
