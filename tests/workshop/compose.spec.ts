import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { checkPasswords } from '@moon/cluster';
import { loadConfig } from '@moon/infra';
import { venueConfigOf } from '../../apps/execution/src/venues/paper/venue-config';
import { standaloneConfigSchema } from '../../apps/standalone/src/config/standalone-config';
import { distributedSettings } from './distributed-settings';
import { readText, root } from './repository';

interface Service {
  build?: string;
  image: string;
  restart?: string;
  hostname?: string;
  command?: string[];
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  ports?: string[];
  volumes?: string[];
}

const { services, volumes } = parse(readText('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const service = (name: string): Service => services[name]!;
const all = Object.entries(services);
const named = (pattern: RegExp): Service[] => all.filter(([name]) => pattern.test(name)).map(([, one]) => one);

const apps = ['api', 'agents', 'execution', 'recorder'];
const brokers = ['kafka-1', 'kafka-2', 'kafka-3'];
const stores = ['timescaledb-1', 'timescaledb-2'];
const caches = ['sentinel-1', 'sentinel-2', 'sentinel-3'];
/** Runs once, before the apps. */
const preparing = 'store-prepare';

/** What an expression gives in a module that imports from the scripts of the native stack. */
const native = <T>(file: string, expression: string): T => {
  const code = `import * as stack from './scripts/stack/${file}'; console.log(JSON.stringify(${expression}));`;
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: root, encoding: 'utf8' }),
  ) as T;
};

/** A value with its `${NAME:-default}` replaced by the default, as on a machine that sets none. */
const withDefaults = (value: string): string => value.replace(/\$\{\w+:-([^}]*)\}/g, '$1');

describe('the servers of docker-compose.yml', () => {
  it('[BRK-2] are three brokers of one quorum that keep three copies, two in sync, and create no topic by themselves', () => {
    const kafkas = named(/^kafka-/);

    expect(kafkas.map(({ hostname }) => hostname)).toEqual(brokers);
    expect(kafkas.map(({ environment }) => environment!.KAFKA_NODE_ID)).toEqual(['1', '2', '3']);
    expect(new Set(kafkas.map(({ environment }) => environment!.CLUSTER_ID)).size).toBe(1);
    for (const { environment } of kafkas)
      expect(environment).toMatchObject({
        KAFKA_PROCESS_ROLES: 'broker,controller',
        KAFKA_CONTROLLER_QUORUM_VOTERS: '1@kafka-1:9093,2@kafka-2:9093,3@kafka-3:9093',
        KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
        KAFKA_DEFAULT_REPLICATION_FACTOR: '3',
        KAFKA_MIN_INSYNC_REPLICAS: '2',
      });
  });

  it('have brokers of the version and with the settings of the native stack', () => {
    const [version] = /(?<=const KAFKA = ')[\d.]+/.exec(readText('scripts/stack/install.mjs')) ?? [];
    expect(new Set(named(/^kafka-/).map(({ image }) => image))).toEqual(new Set([`apache/kafka:${version}`]));

    const text = native<string>(
      'kafka.mjs',
      "stack.serverProperties({ id: 1, brokers: 3, basePort: 19000, logDir: '/data' })",
    );
    const own = new Map(
      text
        .trim()
        .split('\n')
        .map((line) => line.split('=') as [string, string]),
    );
    const shared = Object.entries(service('kafka-1').environment!)
      .map(([name, value]) => ({ property: name.replace('KAFKA_', '').toLowerCase().replaceAll('_', '.'), value }))
      .filter(({ property }) => own.has(property) && !/listener|quorum|log\.dirs/.test(property));
    expect(shared.length).toBeGreaterThanOrEqual(12);
    expect(shared.filter(({ property, value }) => own.get(property) !== value)).toEqual([]);
  });

  it('are a TimescaleDB primary and a standby under Patroni, with the settings of the native stack', () => {
    const built = readText('deploy/postgres/Dockerfile');
    const [version] = /(?<=FROM timescale\/timescaledb:)\S+pg1[6-8]/.exec(built) ?? [];
    const patroni = parse(readText('deploy/postgres/patroni.yml')) as { bootstrap: { dcs: Dcs } };
    type Dcs = { postgresql: { parameters: Record<string, unknown> } };
    const own = native<{ bootstrap: { dcs: Dcs } }>(
      'postgres.mjs',
      "stack.patroniConfig({ index: 1, basePort: 19000, folder: '/data', binDir: '/bin' })",
    ).bootstrap.dcs;

    expect(named(/^timescaledb-/).map(({ environment }) => environment!.PATRONI_NAME)).toEqual(stores);
    expect(new Set(named(/^timescaledb-/).map(({ image }) => image))).toEqual(
      new Set([`moon-eda-timescaledb:${version}`]),
    );
    expect(patroni.bootstrap.dcs).toMatchObject(own);
    expect(patroni.bootstrap.dcs.postgresql.parameters.shared_preload_libraries).toBe('timescaledb');
    const [patroniVersion] = /(?<=const PATRONI = ')[\d.]+/.exec(readText('scripts/stack/install.mjs')) ?? [];
    expect(built).toContain(`patroni[etcd3]==${patroniVersion}`);
    expect(named(/^etcd-/).map(({ environment }) => environment!.ETCD_NAME)).toEqual(['etcd-1', 'etcd-2', 'etcd-3']);
  });

  it('[CCH-2] are a three-node cache with replication, Sentinels, and a snapshot each 60 s', () => {
    const commands = named(/^redis-/).map(({ command }) => command!);

    expect(commands).toHaveLength(3);
    for (const command of commands)
      expect(command).toEqual(expect.arrayContaining(['--save 60 1', '--maxmemory-policy noeviction']));
    expect(commands.map((command) => command.includes('--replicaof redis-1 6379'))).toEqual([false, true, true]);
    expect(named(/^sentinel-/)).toHaveLength(3);
    const { MOON_REDIS__PRIMARY_NAME: name } = service('agents').environment!;
    expect(readText('deploy/redis/sentinel.conf')).toContain(`sentinel monitor ${name} redis-1 6379 2\n`);
  });
});

describe('the apps of docker-compose.yml', () => {
  it('are one image from one Dockerfile, each with its own program', () => {
    for (const app of apps) {
      expect(service(app)).toMatchObject({ build: '.', image: expect.stringMatching(/^moon-eda:\d/) as string });
      expect(service(app).command).toEqual([`apps/${app}/src/main.js`]);
    }
    const [venue] = service('venue').command!;
    expect(existsSync(join(root, venue!.replace(/js$/, 'ts')))).toBe(true);
    expect(readText('Dockerfile')).toMatch(/^USER node$/m);
  });

  it('have a health check each: whether it is READY', () => {
    for (const app of apps) {
      const { test } = service(app).healthcheck!;
      expect(test).toEqual(['CMD', 'node', '--eval', expect.stringContaining('/health/ready')]);
    }
  });

  it('start after broker, prepared event store and cache are there, the API after the agents', () => {
    const needs = (app: string): string[] =>
      Object.entries(service(app).depends_on!).map(([name, { condition }]) => {
        expect(condition).toBe(name === preparing ? 'service_completed_successfully' : 'service_healthy');
        return name;
      });
    const first = [...brokers, ...stores, preparing];

    expect(needs('recorder').sort()).toEqual([...first].sort());
    expect(needs('agents').sort()).toEqual([...first, ...caches].sort());
    expect(needs('execution').sort()).toEqual([...first, ...caches, 'venue'].sort());
    expect(needs('api').sort()).toEqual([...first, ...caches, 'agents', 'execution', 'recorder'].sort());
  });

  it('get settings that the configuration knows, with addresses of services in the file', () => {
    for (const app of apps) {
      const environment = Object.entries(service(app).environment!);
      const env = Object.fromEntries(environment.map(([name, value]) => [name, withDefaults(value)]));
      expect(environment.map(([name]) => name).filter((name) => !/^(MOON|OTEL)_/.test(name))).toEqual([]);

      const settings = loadConfig(distributedSettings, { env });

      expect(settings.kafka.brokers).toEqual(brokers.map((name) => `${name}:19092`));
      expect(settings.postgres.hosts).toEqual(stores.map((name) => `${name}:5432`));
      expect(settings.redis.nodes).toEqual(caches.map((name) => `${name}:26379`));
      const hosts = JSON.stringify(env).match(/[a-z][a-z0-9-]*(?=:\d{4,5}\b)/g) ?? [];
      expect(hosts.filter((host) => !(host in services))).toEqual([]);
    }
  });
});

describe('the venue of docker-compose.yml', () => {
  it('is told what the apps are told, and reads it: what they trade is priced there, at the fees of the settings', async () => {
    const { command, environment = {} } = service('venue');
    for (const app of apps) {
      const given = Object.entries(service(app).environment!);
      // Where execution finds the venue, and names of traces, are an app's own.
      const shared = given.filter(([name]) => !/^(OTEL_SERVICE_NAME|MOON_VENUE__ADDRESS)$/.test(name));
      expect(environment).toEqual(Object.fromEntries(shared));
    }
    expect(command).toContain('--cluster');
    const instruments = [{ instrument: 'BTCUSDT.BINANCE-SPOT', priceSource: 'BTC.HYPERLIQUID' }];
    const env = {
      ...Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, withDefaults(value)])),
      MOON_VENUE__PAPER__FEES__TAKER_BPS: '7',
      MOON_PLATFORM__PORTFOLIOS: JSON.stringify([{ name: 'main', instruments }]),
    };
    expect(await venueConfigOf({ cluster: true, set: [] }, env)).toMatchObject({
      fees: { takerBps: 7 },
      priceSources: { 'BTCUSDT.BINANCE-SPOT': 'BTC.HYPERLIQUID' },
    });
  });
});

describe('the passwords of the event store in docker-compose.yml', () => {
  const envOf = (name: string): Record<string, string> => service(name).environment ?? {};
  /** Default passwords of the superuser and of the owner, as the one who prepares the store has them. */
  const { MOON_POSTGRES__PASSWORD: superuser = '', MOON_POSTGRES__OWNER_PASSWORD: owner = '' } = envOf(preparing);
  const variables = [superuser, owner].map((value) => /\$\{(\w+):-/.exec(value)![1]!);

  it('are with the one that prepares it, which runs once, from the image of the apps', () => {
    const { image, build, command, restart, depends_on: needs = {} } = service(preparing);
    expect({ image, build, restart }).toEqual({ image: service('api').image, build: '.', restart: 'no' });
    expect(command).toEqual(['apps/cli/src/main.js', 'store', 'prepare']);
    expect(existsSync(join(root, command![0]!.replace(/js$/, 'ts')))).toBe(true);
    expect(Object.keys(needs)).toEqual(stores);
    const env = Object.fromEntries(
      Object.entries(envOf(preparing)).map(([name, value]) => [name, withDefaults(value)]),
    );
    const settings = loadConfig(distributedSettings, { env });
    expect(() => checkPasswords(settings, true)).not.toThrow();
    const { hosts, patroni, database } = settings.postgres;
    expect(envOf('api')).toMatchObject({
      MOON_POSTGRES__HOSTS: hosts.join(','),
      MOON_POSTGRES__PATRONI: patroni.join(','),
      MOON_POSTGRES__DATABASE: database,
    });
    const { PATRONI_SUPERUSER_PASSWORD: ofServer, PATRONI_SUPERUSER_USERNAME: user } = envOf(stores[0]!);
    expect([superuser, settings.postgres.superuser]).toEqual([ofServer, user]);
  });

  it('of superuser and owner are with no application; each has that of its role alone', () => {
    expect(variables).toEqual(['MOON_SUPERUSER_PASSWORD', 'MOON_OWNER_PASSWORD']);
    for (const app of [...apps, 'venue']) {
      const text = JSON.stringify(service(app));
      for (const secret of [...variables, `"${withDefaults(superuser)}"`, withDefaults(owner)])
        expect(text).not.toContain(secret);
    }
    for (const app of apps) {
      const env = Object.fromEntries(Object.entries(envOf(app)).map(([name, value]) => [name, withDefaults(value)]));
      const settings = loadConfig(distributedSettings, { env });
      const { password, ownerPassword, appPassword } = settings.postgres;
      expect({ password, ownerPassword }).toEqual({ password: '', ownerPassword: undefined });
      expect(appPassword).toBe(withDefaults(envOf(preparing).MOON_POSTGRES__APP_PASSWORD!));
      expect(() => checkPasswords(settings)).not.toThrow();
    }
  });
});

describe('the variables that docker-compose.yml fills in', () => {
  it('may stand in the shell in which moon and the apps are started, too', () => {
    const names = [...readText('docker-compose.yml').matchAll(/\$\{(MOON_\w+)/g)].map(([, name]) => name!);
    expect(names).toEqual(expect.arrayContaining(['MOON_APP_PASSWORD', 'MOON_GRAFANA_PASSWORD']));
    const env = Object.fromEntries(names.map((name) => [name, 'a-secret']));
    for (const schema of [distributedSettings, standaloneConfigSchema])
      expect(loadConfig(schema, { env })).toEqual(loadConfig(schema, {}));
  });
});

describe('docker-compose.yml as a whole', () => {
  it('pins images, checks the health of every service that stays, and keeps data in named volumes', () => {
    for (const [name, { image, restart, healthcheck, volumes: mounted = [] }] of all) {
      expect(`${name} ${image}`).toMatch(/:v?\d+\.\d+[\w.-]*$/);
      expect(restart).toBe(name === preparing ? 'no' : 'unless-stopped');
      if (name === preparing) continue;
      expect(healthcheck?.test.length).toBeGreaterThan(1);
      const sources = mounted.map((volume) => volume.split(':')[0]!);
      expect(sources.filter((source) => !source.startsWith('./') && !(source in volumes))).toEqual([]);
      expect(sources.some((source) => source in volumes)).toBe(true);
      expect(sources.filter((source) => source.startsWith('./') && !existsSync(join(root, source)))).toEqual([]);
    }
  });

  it('has every server that keeps something keep it in its volume', () => {
    const { postgresql } = parse(readText('deploy/postgres/patroni.yml')) as { postgresql: { data_dir: string } };
    for (const [name, { volumes: mounted = [], environment: env = {} }] of all) {
      const data = env.KAFKA_LOG_DIRS ?? env.ETCD_DATA_DIR ?? env.MOON_DATA_DIR;
      const kept = stores.includes(name) ? postgresql.data_dir : data;
      if (kept === undefined) continue;
      const places = mounted
        .filter((volume) => volume.split(':')[0]! in volumes)
        .map((volume) => volume.split(':')[1]!);
      expect(places.filter((place) => kept === place || kept.startsWith(`${place}/`))).toHaveLength(1);
    }
    for (const broker of brokers) expect(service(broker).environment).toHaveProperty('KAFKA_LOG_DIRS');
  });

  it('pins the images that it builds from', () => {
    for (const path of ['Dockerfile', 'deploy/etcd/Dockerfile', 'deploy/postgres/Dockerfile'])
      for (const [, image] of readText(path).matchAll(/^FROM (\S+)/gm)) expect(image).toMatch(/:\d+\.\d+[\w.-]*$/);
  });

  it('listens on this machine only, on a port of its own for each', () => {
    const published = all.flatMap(([, { ports = [] }]) => ports);

    expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
    expect(new Set(published.map((port) => port.split(':')[1])).size).toBe(published.length);
  });

  it('depends on and scrapes only services that it has', () => {
    const wanted = all.flatMap(([, { depends_on: needs = {} }]) => Object.keys(needs));
    const { scrape_configs: jobs } = parse(readText('deploy/prometheus/prometheus.yml')) as {
      scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
    };
    const targets = jobs.flatMap(({ static_configs: parts }) => parts.flatMap((part) => part.targets));
    const { datasources } = parse(readText('deploy/grafana/provisioning/datasources/datasources.yml')) as {
      datasources: { url: string }[];
    };
    const hosts = [...targets, ...datasources.map(({ url }) => new URL(url).host)].map((at) => at.split(':')[0]!);

    expect([...wanted, ...hosts].filter((name) => !(name in services))).toEqual([]);
    expect(hosts).toEqual(expect.arrayContaining([...apps, 'prometheus', 'jaeger']));
  });

  it('[NFM-2] mounts the rules where Prometheus looks for them, and keeps samples for longer than the error budget looks back', () => {
    const { rule_files: wanted } = parse(readText('deploy/prometheus/prometheus.yml')) as { rule_files: string[] };
    const { volumes: mounted = [], command = [] } = service('prometheus');
    const folders = mounted.map((volume) => volume.split(':')[1]!);

    expect(wanted.filter((path) => !folders.includes(path.replace(/\/\*\.yml$/, '')))).toEqual([]);
    expect(command).toContain('--config.file=/etc/prometheus/prometheus.yml');
    const [, days] = /retention\.time=(\d+)d/.exec(command.join(' ')) ?? [];
    expect(Number(days)).toBeGreaterThan(30);
  });
});
