import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as stack from '../../scripts/stack/api.cjs';
import { root } from '../workshop/repository';
import { eventually, kafkaOf, processesOf, query, redisSays } from './servers';

const newFolder = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'moon-stack-test-')));

/** What is left of a stack once it had the time that the warden takes at most. */
const leftOf = (dir: string): Promise<string[]> =>
  eventually(
    () => processesOf(dir),
    (left) => left.length === 0,
    15_000,
  );

describe('the whole native stack', () => {
  const dir = newFolder();
  let servers: Awaited<ReturnType<typeof stack.start>>;
  const stateOf = async (name: string) => (await stack.status(dir)).nodes[name]!;
  const primary = async () => {
    const { nodes } = await stack.status(dir);
    // None while another one is being chosen: 0.
    return Number(
      Object.keys(nodes)
        .find((name) => nodes[name]!.role === 'primary')
        ?.slice(-1) ?? 0,
    );
  };

  beforeAll(async () => {
    servers = await stack.start({ dir, basePort: 0, fast: true });
  });

  afterAll(async () => {
    if (processesOf(dir).length > 0) await stack.stop(dir, { clean: true });
    rmSync(dir, { recursive: true, force: true });
  });

  it('[BRK-2] has three brokers that keep three copies of a topic and create none by themselves', async () => {
    const admin = kafkaOf(servers).admin();
    await admin.connect();
    try {
      expect((await admin.describeCluster()).brokers).toHaveLength(3);
      await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 2 }], waitForLeaders: true });
      const { topics } = await admin.fetchTopicMetadata({ topics: ['kept'] });
      expect(topics[0]!.partitions.map(({ replicas }) => replicas.length)).toEqual([3, 3]);
      await expect(admin.fetchTopicMetadata({ topics: ['misspelt'] })).rejects.toThrow('does not host');
      expect(await admin.listTopics()).toEqual(['kept']);
    } finally {
      await admin.disconnect();
    }
  });

  it('has a PostgreSQL primary and a standby that has each commit before it is acknowledged', async () => {
    const { hosts } = servers.postgres!;
    const first = hosts[(await primary()) - 1]!;
    const other = hosts.find((host) => host !== first)!;
    await query(servers, first, 'create table kept (id int primary key)');
    await query(servers, first, 'insert into kept values (1)');

    const standbys = await query(servers, first, 'select sync_state from pg_stat_replication');
    expect(standbys).toEqual([{ sync_state: 'sync' }]);
    const recovering = await query(servers, other, 'select pg_is_in_recovery() as standby');
    expect(recovering).toEqual([{ standby: true }]);
    await expect(query(servers, other, 'insert into kept values (2)')).rejects.toThrow('read-only');
  });

  it('[CCH-2] has a Redis master with two replicas that three Sentinels agree on, and snapshots each 60 s', async () => {
    const { sentinels, nodes, name } = servers.redis!;
    const quorums = await Promise.all(sentinels.map((at) => redisSays(at, `sentinel ckquorum ${name}`)));
    expect(quorums).toEqual(Array(3).fill(expect.stringContaining('OK 3 usable Sentinels')));
    expect(await Promise.all(nodes.map((at) => redisSays(at, 'ping')))).toEqual(['+PONG', '+PONG', '+PONG']);
    const { nodes: known } = await stack.status(dir);
    expect([1, 2, 3].map((index) => known[`redis-${index}`]!.role)).toEqual(['master', 'replica', 'replica']);
    const snapshots = await Promise.all(nodes.map((at) => redisSays(at, 'config get save')));
    expect(snapshots).toEqual(Array(3).fill(expect.stringContaining('60 1')));
  });

  it('reaches every server through Toxiproxy as well, until a proxy is switched off', async () => {
    const { api, proxies } = servers.toxiproxy!;
    expect(proxies).toHaveLength(11);
    const admin = kafkaOf(servers, 200).admin();
    await admin.connect();
    await admin.disconnect();
    const proxied = servers.redis!.viaToxiproxy.nodes[1]!;
    const set = (enabled: boolean) =>
      fetch(`${api}/proxies/redis-2`, { method: 'POST', body: JSON.stringify({ enabled }) });
    expect(await redisSays(proxied, 'ping')).toBe('+PONG');
    await set(false);
    expect(await redisSays(proxied, 'ping')).toBe('');
    await set(true);
    expect(await redisSays(proxied, 'ping')).toBe('+PONG');
  });

  it.each(['kafka-2', 'patroni-2', 'etcd-3', 'redis-1', 'sentinel-2', 'toxiproxy'])(
    'starts a killed %s again',
    async (name) => {
      const before = await stateOf(name);
      await stack.kill(name, { dir });
      const after = await eventually(
        () => stateOf(name),
        ({ state, pid }) => state === 'running' && pid !== before.pid,
      );
      expect(after).toMatchObject({ state: 'running', restarts: (before.restarts ?? 0) + 1 });
      expect(after.pid).not.toBe(before.pid);
      await stack.ready(dir);
    },
  );

  it('makes the standby the primary when the primary is killed, and the killed one the standby', async () => {
    const before = await primary();
    await stack.kill(`postgres-${before}`, { dir });
    await eventually(primary, (now) => now === 3 - before);
    await stack.ready(dir);
    expect(await primary()).toBe(3 - before);
    expect(await query(servers, servers.postgres!.hosts[2 - before]!, 'select id from kept')).toEqual([{ id: 1 }]);
  });

  it.each(['kafka-1', 'postgres-2', 'patroni-1', 'etcd-1', 'redis-3', 'sentinel-1', 'toxiproxy'])(
    'freezes %s and thaws it, the same process',
    async (name) => {
      const before = await stateOf(name);
      await stack.pause(name, { dir });
      expect(await stateOf(name)).toMatchObject({ state: 'paused', pid: before.pid });
      if (name === 'redis-3') expect(await redisSays(servers.redis!.nodes[2]!, 'ping')).toBe('');
      await stack.resume(name, { dir });
      expect(await stateOf(name)).toMatchObject({ state: 'running', pid: before.pid });
      if (name === 'redis-3') expect(await redisSays(servers.redis!.nodes[2]!, 'ping')).toBe('+PONG');
      await stack.ready(dir);
    },
  );

  it('keeps a node down when asked to, until it is restarted', async () => {
    await stack.kill('redis-2', { dir, keepDown: true });
    await stack.kill('postgres-1', { dir, keepDown: true });
    const { nodes } = await stack.status(dir);
    expect(['redis-2', 'postgres-1', 'patroni-1'].map((name) => nodes[name]!.state)).toEqual(['down', 'down', 'down']);
    await expect(stack.pause('redis-2', { dir })).rejects.toThrow('redis-2 is down');
    await stack.restart('redis-2', { dir });
    await stack.restart('postgres-1', { dir });
    await stack.ready(dir);
    expect((await stateOf('postgres-1')).state).toBe('running');
  });

  it('refuses a second stack in its folder, and a node that it does not have', async () => {
    await expect(stack.start({ dir, basePort: 0, only: ['redis'] })).rejects.toThrow('A stack already runs in');
    await expect(stack.kill('kafka-9', { dir })).rejects.toThrow('no node "kafka-9"');
  });

  it('leaves nothing behind when its supervisor is killed, frozen servers included', async () => {
    for (const name of ['kafka-3', 'postgres-1', 'patroni-2', 'redis-1']) await stack.pause(name, { dir });
    process.kill(stack.addresses(dir).supervisor, 'SIGKILL');
    expect(await leftOf(dir)).toEqual([]);
  });

  it('starts again on the data that it left', async () => {
    servers = await stack.start({ dir, basePort: 0, fast: true });
    const admin = kafkaOf(servers).admin();
    await admin.connect();
    const topics = await admin.listTopics();
    await admin.disconnect();
    expect(topics).toContain('kept');
    const rows = await query(servers, servers.postgres!.hosts[(await primary()) - 1]!, 'select id from kept');
    expect(rows).toEqual([{ id: 1 }]);
  });

  it('leaves nothing behind when it is stopped', async () => {
    await stack.stop(dir, { clean: true });
    expect(processesOf(dir)).toEqual([]);
    await expect(stack.status(dir)).rejects.toThrow('No stack runs in');
  });
});

describe('a stack of one kind', () => {
  const dir = newFolder();

  afterEach(async () => {
    if (processesOf(dir).length > 0) await stack.stop(dir, { clean: true });
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('ends with the program that started it, even if that is killed', async () => {
    const code = `require(${JSON.stringify(require.resolve('../../scripts/stack/api.cjs'))})
      .start({ dir: ${JSON.stringify(dir)}, basePort: 0, only: ['redis'] })
      .then(() => { console.log('started'); setInterval(() => undefined, 1000); });`;
    const program = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => program.stdout.once('data', resolve));
    expect((await stack.status(dir)).nodes).toMatchObject({ 'redis-1': { state: 'running' } });

    program.kill('SIGKILL');

    expect(await leftOf(dir)).toEqual([]);
  });

  it('is known to run no more once its supervisor was killed, and can be stopped when its warden was, too', async () => {
    await stack.start({ dir, basePort: 0, only: ['redis'] });
    process.kill(stack.addresses(dir).supervisor, 'SIGKILL');
    expect(await leftOf(dir)).toEqual([]);
    const deadline = Date.now() + 5_000;
    while (existsSync(join(dir, 'stack.json')) && Date.now() < deadline)
      await new Promise((done) => setTimeout(done, 50));
    expect(() => stack.addresses(dir)).toThrow('No stack runs in');

    await stack.start({ dir, basePort: 0, only: ['redis'] });
    const wardens = execFileSync('pgrep', ['-f', `warden.mjs ${dir}`], { encoding: 'utf8' })
      .trim()
      .split('\n');
    for (const pid of [...wardens, stack.addresses(dir).supervisor]) process.kill(Number(pid), 'SIGKILL');
    await stack.stop(dir);
    expect(processesOf(dir)).toEqual([]);
    expect(() => stack.addresses(dir)).toThrow('No stack runs in');
  });

  it('is left alone by a start at the same moment that does not get the folder', async () => {
    const both = await Promise.allSettled([1, 2].map(() => stack.start({ dir, basePort: 0, only: ['redis'] })));
    const refused = both.filter((one): one is PromiseRejectedResult => one.status === 'rejected');
    expect(refused.map(({ reason }) => String(reason))).toEqual([expect.stringContaining('A stack already runs in')]);
    const { ready, nodes } = await stack.status(dir);
    expect(ready).toBe(true);
    expect(Object.values(nodes).map(({ state }) => state)).toEqual(Array(6).fill('running'));
  });

  it('names the ports that are taken', async () => {
    const server = createServer();
    const { options } = await stack.start({ dir, basePort: 0, only: ['redis'] });
    await stack.stop(dir);
    const port = options.basePort + 442;
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    try {
      await expect(stack.start({ dir, basePort: 0, only: ['redis'] })).rejects.toThrow(`${port} (redis-2)`);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('starts on the ports of its data when none are named', async () => {
    const { options } = await stack.start({ dir, basePort: 0, only: ['redis'] });
    await stack.stop(dir);
    execFileSync(process.execPath, ['scripts/stack/cli.mjs', 'start', '--only', 'redis', '--dir', dir], { cwd: root });
    expect(stack.addresses(dir).options.basePort).toBe(options.basePort);
    await stack.stop(dir);
  });

  it('refuses to start on other ports than its data were made with', async () => {
    await expect(stack.start({ dir, basePort: 30_000, only: ['redis'] })).rejects.toThrow('were made with --base-port');
  });

  it('throws away what it made, and nothing else that lies in the folder', () => {
    const clean = (folder: string): string =>
      execFileSync(process.execPath, ['scripts/stack/cli.mjs', 'stop', '--clean', '--dir', folder], {
        cwd: root,
        encoding: 'utf8',
      });
    const foreign = newFolder();
    mkdirSync(join(foreign, 'logs'));
    writeFileSync(join(foreign, 'logs', 'mine.txt'), 'mine');
    expect(clean(foreign)).toContain('No stack was ever started in');
    expect(readFileSync(join(foreign, 'logs', 'mine.txt'), 'utf8')).toBe('mine');
    rmSync(foreign, { recursive: true });

    writeFileSync(join(dir, 'mine.txt'), 'mine');
    clean(dir);
    expect(readdirSync(dir)).toEqual(['mine.txt']);
  });
});
