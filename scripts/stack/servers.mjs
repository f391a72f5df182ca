// The servers of one stack: which there are, in which order they start and stop, and when they are ready.
import { mkdirSync } from 'node:fs';
import { kafkaReady, prepareKafka } from './kafka.mjs';
import {
  PostgresServer,
  etcdReady,
  isBootstrapped,
  patroniView,
  postgresReady,
  prepareEtcd,
  preparePatroni,
} from './postgres.mjs';
import { prepareRedis, redisMaster, redisReady, replicasOnline } from './redis.mjs';
import { ServerProcess } from './server-process.mjs';
import { makeOwnFolder, portOf } from './layout.mjs';
import { prepareToxiproxy, toxiproxyReady } from './toxiproxy.mjs';

export class Servers {
  #processes = new Map();
  #postgres = new Map();
  #stopped = false;

  /** @param context `{ tools, options, paths, say }` */
  constructor(context) {
    this.context = context;
    this.view = { tools: context.tools, options: context.options, stopped: () => this.#stopped };
  }

  #add(specs) {
    return specs.map((spec) => {
      const { paths, say } = this.context;
      const server = new ServerProcess(spec, { logs: paths.logs, onEvent: say });
      this.#processes.set(spec.name, server);
      return server;
    });
  }

  #start(servers) {
    // A stop that arrives while a kind is still starting must not be overtaken by its next step.
    if (!this.#stopped) for (const server of servers) server.start();
  }

  /** Starts all kinds at once; each kind in its own order. Resolves when all are ready, with the time each took. */
  async start() {
    const { options, say } = this.context;
    const starters = {
      kafka: () => this.#startKafka(),
      postgres: () => this.#startPostgres(),
      redis: () => this.#startRedis(),
      toxiproxy: () => this.#startToxiproxy(),
    };
    const times = {};
    await Promise.all(
      options.only.map(async (kind) => {
        const startedAt = performance.now();
        await starters[kind]();
        times[kind] = Math.round(performance.now() - startedAt) / 1_000;
        say(kind, `ready after ${times[kind]} s`);
      }),
    );
    return times;
  }

  async #startKafka() {
    const { tools, options, paths } = this.context;
    const servers = this.#add(await prepareKafka({ tools, nodes: paths.nodes, options }));
    this.#start(servers);
    await kafkaReady({ ...this.view, processes: servers });
  }

  async #startPostgres() {
    const { tools, options, paths } = this.context;
    const postgresFolder = paths.postgres;
    makeOwnFolder(paths.reachable);
    const specs = preparePatroni({ tools, postgresFolder, options });
    const etcd = this.#add(prepareEtcd({ tools, nodes: paths.nodes, options }));
    const [first, second] = this.#add(specs);
    specs.forEach(({ data }, index) => {
      const name = `postgres-${index + 1}`;
      this.#postgres.set(name, new PostgresServer(name, data));
    });
    this.#start(etcd);
    await etcdReady(this.view);
    this.#start([first]);
    // The first time, node 1 shall be the primary; later whoever was it last.
    if (!specs.some(isBootstrapped)) await postgresReady(this.view, { standby: false });
    this.#start([second]);
    await postgresReady(this.view);
  }

  async #startRedis() {
    const { tools, options, paths } = this.context;
    const { data, sentinels } = prepareRedis({ tools, nodes: paths.nodes, options });
    const nodes = this.#add(data);
    const guards = this.#add(sentinels);
    this.#start(nodes);
    // After an unclean end the configurations may not agree on a master: only the Sentinels mend that, so do not insist.
    await replicasOnline(this.view, 5_000);
    this.#start(guards);
    await redisReady(this.view);
  }

  async #startToxiproxy() {
    const { tools, options, paths } = this.context;
    this.#start(this.#add([prepareToxiproxy({ tools, nodes: paths.nodes, options })]));
    await toxiproxyReady(this.view);
  }

  /** Waits until every kind is ready again, e.g. after a fault. */
  async ready() {
    const checks = {
      kafka: () => kafkaReady({ ...this.view, processes: [...this.#processes.values()] }),
      postgres: async () => {
        await etcdReady(this.view);
        await postgresReady(this.view);
      },
      redis: () => redisReady(this.view),
      toxiproxy: () => toxiproxyReady(this.view),
    };
    await Promise.all(this.context.options.only.map((kind) => checks[kind]()));
  }

  #named(name) {
    const server = this.#processes.get(name) ?? this.#postgres.get(name);
    if (server !== undefined) return server;
    const known = [...this.#processes.keys(), ...this.#postgres.keys()].sort().join(', ');
    throw new Error(`This stack has no node "${name}". It has: ${known}.`);
  }

  /** The Patroni process above a PostgreSQL server; any other node itself. */
  #supervised(name) {
    this.#named(name);
    return this.#processes.get(name.replace(/^postgres-/, 'patroni-'));
  }

  /** SIGKILL. A PostgreSQL that is to stay down takes its Patroni along, which would bring it back. */
  async kill(name, { keepDown = false } = {}) {
    const server = this.#named(name);
    if (server instanceof PostgresServer) {
      if (keepDown) await this.#supervised(name).kill({ keepDown });
      await server.kill();
    } else await server.kill({ keepDown });
  }

  pause(name) {
    this.#named(name).pause();
  }

  resume(name) {
    this.#named(name).resume();
  }

  /** SIGTERM, then a fresh start; also how one that was kept down comes back. */
  async restart(name) {
    const server = this.#supervised(name);
    await server.stop();
    server.start();
  }

  pids() {
    const all = [...this.#processes.values(), ...this.#postgres.values()].map(({ name, pid }) => [name, pid]);
    return Object.fromEntries(all.filter(([, pid]) => pid !== undefined));
  }

  async status() {
    const { options } = this.context;
    const nodes = {};
    for (const { name, pid, state, restarts } of this.#processes.values()) nodes[name] = { state, pid, restarts };
    for (const { name, pid, state } of this.#postgres.values()) {
      const view = await patroniView(options.basePort, Number(name.slice(-1)));
      const role = view?.sync_standby === true ? 'sync standby' : view?.role;
      nodes[name] = { state, pid, role };
    }
    if (options.only.includes('redis')) {
      const master = await redisMaster(this.view);
      for (const index of [1, 2, 3]) {
        const node = nodes[`redis-${index}`];
        if (node?.state === 'running')
          node.role = portOf(options.basePort, 'redis', index) === master ? 'master' : 'replica';
      }
    }
    return nodes;
  }

  /** Stops what clients write to before what those servers need: Patroni before etcd, Sentinels before Redis. */
  async stop() {
    this.#stopped = true;
    const of = (pattern) => [...this.#processes.values()].filter(({ name }) => pattern.test(name));
    const stop = async (...patterns) => {
      for (const pattern of patterns) await Promise.all(of(pattern).map((server) => server.stop()));
    };
    // A frozen PostgreSQL cannot hear Patroni's request to shut down.
    for (const server of this.#postgres.values()) if (server.state === 'paused') server.resume();
    await Promise.all([
      stop(/^kafka-/),
      stop(/^patroni-/, /^etcd-/),
      stop(/^sentinel-/, /^redis-/),
      stop(/^toxiproxy$/),
    ]);
  }

  prepareFolders() {
    const { paths } = this.context;
    for (const folder of [paths.root, paths.nodes, paths.logs]) mkdirSync(folder, { recursive: true });
  }
}
