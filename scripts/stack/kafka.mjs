// Three (or one) Kafka brokers in KRaft mode, each broker and controller in one process.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readSync, closeSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import kafkajs from 'kafkajs';
import { HOST, portOf } from './layout.mjs';
import { until } from './sweep.mjs';

const run = promisify(execFile);
/** 22 characters of base64, as Kafka wants a cluster's id; each stack has its own folder, so one id does for all. */
const CLUSTER_ID = 'bW9vbi1zdGFjay1rYWZrYQ';
const START_LIMIT_MS = 180_000;

const LOG4J = `status = error
name = moon-stack
appender.console.type = Console
appender.console.name = STDOUT
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = INFO
rootLogger.appenderRef.stdout.ref = STDOUT
`;

/** Settings of broker `id`, as Kafka reads them. */
export function serverProperties({ id, brokers, basePort, logDir }) {
  const replicas = Math.min(3, brokers);
  const inSync = Math.min(2, brokers);
  const voters = Array.from(
    { length: brokers },
    (_, index) => `${index + 1}@${HOST}:${portOf(basePort, 'controller', index + 1)}`,
  );
  const client = `PLAINTEXT://${HOST}:${portOf(basePort, 'kafka', id)}`;
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': voters.join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: `${client},CONTROLLER://${HOST}:${portOf(basePort, 'controller', id)}`,
    'advertised.listeners': client,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': logDir,
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 8,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'group.initial.rebalance.delay.ms': 0,
    // The catalog in code creates the topics; a misspelt name must fail, not become a topic.
    'auto.create.topics.enable': false,
    'log.cleaner.dedupe.buffer.size': 16_777_216,
    'log.cleaner.threads': 1,
    'num.network.threads': 2,
    'num.io.threads': 4,
    // With the defaults (9 s and 2 s) a killed broker stalls every partition for 9 s; with these for 3 s.
    'broker.session.timeout.ms': 3_000,
    'broker.heartbeat.interval.ms': 500,
    'leader.imbalance.check.interval.seconds': 10,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** Arguments of java that run a broker: its class path has the order that the class archive was made with. */
export const javaArguments = ({ classPath, archive, fast, log4j, properties }) => [
  '-Xms256m',
  '-Xmx512m',
  '-XX:+UseSerialGC',
  ...(fast ? ['-XX:TieredStopAtLevel=1'] : []),
  ...(archive === undefined ? [] : [`-XX:SharedArchiveFile=${archive}`]),
  `-Dlog4j2.configurationFile=${log4j}`,
  '-cp',
  classPath,
  'kafka.Kafka',
  properties,
];

/** Writes the files of one broker into `folder` and formats its storage the first time. */
export async function prepareBroker({ folder, id, brokers, basePort, java, classPath }) {
  const logDir = join(folder, 'data');
  mkdirSync(folder, { recursive: true });
  const [properties, log4j] = [join(folder, 'server.properties'), join(folder, 'log4j2.properties')];
  writeFileSync(properties, serverProperties({ id, brokers, basePort, logDir }));
  writeFileSync(log4j, LOG4J);
  if (!existsSync(join(logDir, 'meta.properties')))
    await run(
      java,
      [
        '-Xshare:auto',
        '-XX:TieredStopAtLevel=1',
        '-cp',
        classPath,
        'kafka.tools.StorageTool',
        'format',
        '-t',
        CLUSTER_ID,
        '-c',
        properties,
      ],
      { cwd: folder },
    );
  return { properties, log4j };
}

export async function prepareKafka({ tools, nodes, options }) {
  const { brokers, basePort, fast } = options;
  return Promise.all(
    Array.from({ length: brokers }, async (_, index) => {
      const id = index + 1;
      const folder = join(nodes, `kafka-${id}`);
      const { java, classPath, archive } = tools.kafka;
      const files = await prepareBroker({ folder, id, brokers, basePort, java, classPath });
      const args = javaArguments({ classPath, archive, fast, ...files });
      return { name: `kafka-${id}`, command: java, args, cwd: folder };
    }),
  );
}

/** Whether what a file holds from `offset` on has the text. */
export function logHas(path, offset, text) {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= offset) return false;
  const buffer = Buffer.alloc(size - offset);
  const file = openSync(path, 'r');
  try {
    readSync(file, buffer, 0, buffer.length, offset);
  } finally {
    closeSync(file);
  }
  return buffer.includes(text);
}

/** Waits until every broker says that it has started and the cluster describes itself with all of them. */
export async function kafkaReady({ processes, options, stopped }) {
  const { brokers, basePort } = options;
  const own = processes.filter(({ name }) => name.startsWith('kafka-'));
  const started = await until(
    () => stopped() || own.every(({ log, logOffset }) => logHas(log, logOffset, 'Kafka Server started')),
    START_LIMIT_MS,
  );
  if (!started) throw new Error(`Kafka did not start within ${START_LIMIT_MS / 1000} s; see the logs of kafka-1.`);
  if (stopped()) return;
  let problem = '';
  const complete = await until(async () => {
    if (stopped()) return true;
    try {
      const known = await knownBrokers(basePort, own.length);
      problem = known === brokers ? '' : `it has ${known} of ${brokers} brokers`;
    } catch (error) {
      // Brokers that have just started, or whose machine is busy, answer late: that is no reason to give up.
      problem = error.message;
    }
    return problem === '';
  }, START_LIMIT_MS);
  if (!complete) throw new Error(`The Kafka cluster is not ready after ${START_LIMIT_MS / 1000} s: ${problem}.`);
}

/** How many brokers the cluster says it has. */
async function knownBrokers(basePort, count) {
  const kafka = new kafkajs.Kafka({
    clientId: 'moon-stack',
    brokers: Array.from({ length: count }, (_, index) => `${HOST}:${portOf(basePort, 'kafka', index + 1)}`),
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 2_000,
    requestTimeout: 5_000,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 5 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length;
  } finally {
    await admin.disconnect();
  }
}
