import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTestServer, type TestServer } from '../../../../../libs/infra/src/testing/postgres';
import { CommandLine } from '../../testing/command-line';
import { textOf } from './rebuild-progress';

describe('moon projections rebuild, without a cache', () => {
  const line = new CommandLine();
  let test: TestServer;
  let where: string[];

  beforeAll(async () => {
    test = await startTestServer();
    const { host, port, user, password } = test.server;
    const database = await test.clusterDatabase();
    const file = join(line.folder, 'deployment.json');
    const postgres = { hosts: [`${host}:${port}`], superuser: user, password, database };
    writeFileSync(file, JSON.stringify({ postgres, redis: { nodes: ['127.0.0.1:1'], timeoutMs: 200 } }));
    where = ['--cluster', '--config', file];
  }, 180_000);
  afterAll(async () => {
    await test.stop();
    line.remove();
  });

  it('says in one line what is missing', async () => {
    const rebuild = ['projections', 'rebuild'];
    expect(await line.moon(...rebuild)).toMatchObject({
      code: 2,
      err: [expect.stringMatching(/has no cache to rebuild: name a deployment/)],
    });
    expect(await line.moon(...rebuild, ...where, '--set', 'cache=none')).toMatchObject({
      code: 1,
      err: [expect.stringMatching(/This deployment has no cache/)],
    });
    expect(await line.moon(...rebuild, ...where)).toMatchObject({
      code: 1,
      err: [expect.stringMatching(/Nobody listens at 127\.0\.0\.1:1: start Redis/)],
    });
  }, 120_000);

  it('tells how far it is, how fast, and how long it will take', () => {
    const cut = 2_000_000;
    expect(textOf({ phase: 'reading', events: 480_000, seq: 500_000, cut }, 10_000)).toBe(
      'reading, 25 %, 480,000 events, 48,000 events/s, 30 s left',
    );
    expect(textOf({ phase: 'catching-up', events: 2_000_000, seq: cut, cut }, 40_000)).toBe(
      'catching up with what readers see, 2,000,000 events, 40 s',
    );
  });
});
