// Gets what the stack runs, once: every step looks first and installs only what is missing.
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freeBasePort } from './free-ports.mjs';
import { javaArguments, logHas, prepareBroker } from './kafka.mjs';
import { makeOwnFolder, reachableFolder } from './layout.mjs';
import { ensure, findProgram, isExecutable, runOrThrow } from './programs.mjs';
import { ServerProcess } from './server-process.mjs';
import { until } from './sweep.mjs';

const run = promisify(execFile);
const KAFKA = '4.4.0';
/** Kafka asks for slf4j 1.7, hence `log4j-slf4j-impl`; without a binding there is no log line to wait for. */
const LOG4J_BINDING = '2.25.5';
const PATRONI = '4.1.5';
const PSYCOPG = '2.9.13';
/** The newest that builds with the Go of Debian 12 (1.19). */
const TOXIPROXY = '2.5.0';

export const cacheFolder = () =>
  resolve(process.env.MOON_STACK_CACHE ?? join(import.meta.dirname, '..', '..', '.moon', 'cache', 'stack'));

/** Runs `action` while no other process installs into the folder; flock gives the lock back however this one ends. */
async function alone(folder, action) {
  mkdirSync(folder, { recursive: true });
  const holder = spawn('flock', [join(folder, 'install.lock'), 'sh', '-c', 'echo locked; cat > /dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await new Promise((done, fail) => {
    holder.once('error', () => fail(new Error('flock is missing. Debian: apt-get install util-linux')));
    holder.stdout.once('data', done);
    holder.once('exit', (code) => fail(new Error(`The lock of ${folder} cannot be taken (code ${code}).`)));
  });
  try {
    return await action();
  } finally {
    holder.stdin.end();
  }
}

/** Makes `folder` by filling a temporary one and renaming it: an interrupted step leaves nothing that looks complete. */
async function once(folder, fill) {
  if (existsSync(folder)) return folder;
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  await fill(partial);
  renameSync(partial, folder);
  return folder;
}

const dependency = (groupId, artifactId, version) =>
  `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;

const pom = () => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>moon</groupId><artifactId>stack</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    ${dependency('org.apache.kafka', 'kafka_2.13', KAFKA)}
    ${dependency('org.apache.logging.log4j', 'log4j-slf4j-impl', LOG4J_BINDING)}
  </dependencies>
</project>
`;

async function installKafka(cache, say) {
  const java = ensure(() => findProgram(['java']), { what: 'Java', packages: ['default-jre-headless'] });
  const { stderr } = await run(java, ['-version']);
  const version = /version "([^"]+)"/.exec(stderr)?.[1] ?? 'unknown';
  if (!(Number.parseInt(version, 10) >= 17))
    throw new Error(`Kafka ${KAFKA} needs Java 17 or later; ${java} is ${version}.`);
  const folder = await once(join(cache, `kafka-${KAFKA}`), (partial) => {
    const mvn = ensure(() => findProgram(['mvn']), { what: 'Maven', packages: ['maven'] });
    say(`Kafka ${KAFKA} by Maven`);
    writeFileSync(join(partial, 'pom.xml'), pom());
    const args = ['-q', '-B', 'dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=libs'];
    runOrThrow(mvn, args, { what: 'Copying the jars of Kafka', cwd: partial });
  });
  const libs = join(folder, 'libs');
  const jars = readdirSync(libs).filter((name) => name.endsWith('.jar'));
  const classPath = jars
    .sort()
    .map((name) => join(libs, name))
    .join(':');
  const archive = await classArchive({ java, version, classPath, cache }, say);
  return { java, classPath, archive };
}

/** Archive of loaded classes: made by one broker that starts and stops cleanly, it saves each later start a second. */
async function classArchive({ java, version, classPath, cache }, say) {
  const key = createHash('sha256').update(`${java} ${version} ${classPath}`).digest('hex').slice(0, 12);
  const archive = join(cache, `kafka-${KAFKA}-${key}.jsa`);
  if (existsSync(archive)) return archive;
  say('Kafka’s class archive, by starting a broker once');
  const work = mkdtempSync(join(tmpdir(), 'moon-kafka-archive-'));
  try {
    const options = { brokers: 1, only: ['kafka'] };
    const basePort = await freeBasePort(options);
    const folder = join(work, 'nodes', 'kafka-1');
    const files = await prepareBroker({ folder, id: 1, brokers: 1, basePort, java, classPath });
    const args = [`-XX:ArchiveClassesAtExit=${archive}.partial`, ...javaArguments({ classPath, fast: true, ...files })];
    const spec = { name: 'kafka-archive', command: java, args, cwd: folder };
    const broker = new ServerProcess(spec, { logs: work, onEvent: () => undefined });
    broker.start();
    const started = await until(() => !broker.running || logHas(broker.log, 0, 'Kafka Server started'), 120_000);
    await broker.stop(60_000);
    if (!started || !existsSync(`${archive}.partial`))
      throw new Error(`The broker did not start:\n${readFileSync(broker.log, 'utf8').slice(-2_000)}`);
    renameSync(`${archive}.partial`, archive);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return archive;
}

/** `bin` folder of the newest PostgreSQL with the programs that Patroni calls. */
function postgresBin() {
  const base = '/usr/lib/postgresql';
  const versions = existsSync(base)
    ? readdirSync(base)
        .map(Number)
        .filter((version) => version >= 15)
    : [];
  return versions
    .sort((a, b) => b - a)
    .map((version) => join(base, String(version), 'bin'))
    .find((bin) => ['postgres', 'initdb', 'pg_basebackup', 'pg_rewind'].every((name) => isExecutable(join(bin, name))));
}

/** User that PostgreSQL runs as: it refuses root. */
async function postgresUser() {
  if (process.getuid() !== 0) return undefined;
  const id = async (flag) => Number((await run('id', [flag, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

async function installPostgres(cache, say) {
  const binDir = ensure(postgresBin, { what: 'PostgreSQL 15 or later', packages: ['postgresql'] });
  const etcd = ensure(() => findProgram(['etcd']), { what: 'etcd', packages: ['etcd-server'] });
  // Debian's own Python: one of a user's, under a folder only he can enter, cannot be run as the user postgres.
  const python = '/usr/bin/python3';
  const hasVenv = () => (existsSync(python) && existsSync('/usr/share/doc/python3-venv') ? python : undefined);
  ensure(hasVenv, { what: 'Python 3 with venv', packages: ['python3', 'python3-venv'] });
  // A venv cannot be renamed, so a marker says that it is complete.
  const folder = join(makeOwnFolder(reachableFolder(cache)), `patroni-${PATRONI}`);
  if (!existsSync(join(folder, 'complete'))) {
    say(`Patroni ${PATRONI} by pip`);
    rmSync(folder, { recursive: true, force: true });
    runOrThrow(python, ['-m', 'venv', folder], { what: 'Making a Python environment' });
    const packages = [`patroni[etcd3]==${PATRONI}`, `psycopg2-binary==${PSYCOPG}`];
    const args = ['install', '--quiet', '--disable-pip-version-check', ...packages];
    runOrThrow(join(folder, 'bin', 'pip'), args, { what: 'Installing Patroni' });
    writeFileSync(join(folder, 'complete'), '');
  }
  return { binDir, etcd, patroni: join(folder, 'bin', 'patroni'), user: await postgresUser() };
}

function installRedis() {
  const find = (name) => () => findProgram([name], ['/usr/sbin']);
  const needs = { what: 'Redis 7', packages: ['redis-server', 'redis-tools'] };
  return { server: ensure(find('redis-server'), needs), cli: ensure(find('redis-cli'), needs) };
}

async function installToxiproxy(cache, say) {
  const folder = await once(join(cache, `toxiproxy-${TOXIPROXY}`), (partial) => {
    const go = ensure(() => findProgram(['go'], ['/usr/local/go/bin']), { what: 'Go', packages: ['golang-go'] });
    say(`Toxiproxy ${TOXIPROXY} by go install`);
    const env = { ...process.env, GOBIN: partial, GOFLAGS: '-ldflags=-s' };
    const module = `github.com/Shopify/toxiproxy/v2/cmd/server@v${TOXIPROXY}`;
    runOrThrow(go, ['install', module], { what: 'Building Toxiproxy', env });
    renameSync(join(partial, 'server'), join(partial, 'toxiproxy-server'));
  });
  return join(folder, 'toxiproxy-server');
}

/** Installs what the kinds in `only` need and returns where everything is. @throws Error naming what is missing */
export async function install(only, say = (text) => process.stderr.write(`Installing ${text} …\n`)) {
  if (process.platform !== 'linux')
    throw new Error('The native stack runs on Linux only; elsewhere use docker-compose.yml.');
  for (const name of ['flock', 'setpriv']) ensure(() => findProgram([name]), { what: name, packages: ['util-linux'] });
  const cache = cacheFolder();
  return alone(cache, async () => ({
    ...(only.includes('redis') ? { redis: installRedis() } : {}),
    ...(only.includes('kafka') ? { kafka: await installKafka(cache, say) } : {}),
    ...(only.includes('toxiproxy') ? { toxiproxy: await installToxiproxy(cache, say) } : {}),
    ...(only.includes('postgres') ? { postgres: await installPostgres(cache, say) } : {}),
  }));
}
