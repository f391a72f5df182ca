import { readFileSync } from 'node:fs';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Static, Type } from '@sinclair/typebox';
import { type ISocketFactory, Kafka, type KafkaConfig as ClientConfig, logLevel } from 'kafkajs';
import { ConfigError } from '../config';
import type { Logger } from '../telemetry';

const ms = (fallback: number, description: string) => Type.Integer({ default: fallback, minimum: 1, description });

/** What the platform must know of its Kafka cluster. The defaults are measured: with them a killed broker costs 3 s, not 9. */
export const kafkaSchema = Type.Object(
  {
    brokers: Type.Array(Type.String({ pattern: '^[^:\\s]+:[0-9]{1,5}$', description: 'host:port' }), {
      default: ['127.0.0.1:9092'],
      minItems: 1,
      description: 'Brokers to ask first, as host:port; the rest of the cluster is learned from them.',
    }),
    clientId: Type.String({
      default: 'moon',
      minLength: 1,
      description: 'Name in the logs and quotas of the brokers.',
    }),
    tls: Type.Boolean({ default: false, description: 'Encrypts the connections.' }),
    caFile: Type.String({
      default: '',
      description: 'PEM file of the authority that signed the certificates of the brokers.',
    }),
    username: Type.String({ default: '', description: 'SCRAM-SHA-512 user; empty: no authentication.' }),
    password: Type.String({ default: '', description: 'Password of the SCRAM user.' }),
    connectionTimeoutMs: ms(1000, 'How long a broker may take to accept a connection.'),
    requestTimeoutMs: ms(2000, 'How long a request may wait for its answer before it is sent again.'),
    metadataMaxAgeMs: ms(
      1000,
      'How old the knowledge of who leads a partition may be; a frozen broker is left within it.',
    ),
    sessionTimeoutMs: ms(6000, 'A member that is silent for so long is expelled; brokers accept no less than 6000.'),
    heartbeatIntervalMs: ms(500, 'How often a member of a group says that it lives.'),
    rebalanceTimeoutMs: ms(
      60_000,
      'How long a member may take to let go of a shard before the group goes on without it.',
    ),
    maxWaitMs: ms(
      500,
      'How long a broker holds an empty fetch: no message waits for it, but a partition that is moved or taken up may.',
    ),
    sendIntervalMs: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 1_000,
      description:
        'Least time between two requests of a publisher: what comes meanwhile goes along. 0: at once when none is under way.',
    }),
    fetchIntervalMs: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 1_000,
      description:
        'Fetches of a process begin together, so far apart; 0: each at once. More costs latency and saves processors, the brokers’ too.',
    }),
    replicationFactor: Type.Integer({ default: 3, minimum: 1, maximum: 9, description: 'Copies of every partition.' }),
    minInSyncReplicas: Type.Integer({
      default: 2,
      minimum: 1,
      maximum: 9,
      description: 'Copies that must have a message before it is acknowledged.',
    }),
    maxMessageBytes: Type.Integer({
      default: 1_000_000,
      minimum: 10_000,
      description: 'Largest batch of one partition that a topic accepts.',
    }),
    portOffset: Type.Integer({
      default: 0,
      description: 'Added to every port, those that brokers advertise too: the way through a proxy in front of each.',
    }),
  },
  { default: {}, additionalProperties: false },
);

export type KafkaSettings = Static<typeof kafkaSchema>;

/** The brokers cannot be used as configured: one line that says what is wrong and what to do. */
export class KafkaUnavailable extends Error {
  override readonly name = 'KafkaUnavailable';
  constructor(
    message: string,
    override readonly cause: unknown,
  ) {
    super(message);
  }
}

/** A client of these brokers. What kafkajs itself says goes to the log's debug level: what matters is said by our own parts. */
export function kafkaClient(settings: KafkaSettings, logger?: Logger): Kafka {
  const options: ClientConfig = {
    clientId: settings.clientId,
    brokers: settings.brokers,
    connectionTimeout: settings.connectionTimeoutMs,
    authenticationTimeout: settings.requestTimeoutMs,
    requestTimeout: settings.requestTimeoutMs,
    enforceRequestTimeout: true,
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 5 },
    logLevel: logger === undefined ? logLevel.NOTHING : logLevel.WARN,
    logCreator:
      () =>
      ({ namespace, log: { message, ...rest } }) =>
        logger?.debug({ component: `kafkajs ${namespace}`, ...plain(rest) }, message),
    socketFactory: socketFactory(settings),
  };
  if (settings.tls) options.ssl = settings.caFile === '' ? true : { ca: [authority(settings.caFile)] };
  if (settings.username !== '') {
    options.sasl = { mechanism: 'scram-sha-512', username: settings.username, password: settings.password };
  }
  return new Kafka(options);
}

/** The fields of kafkajs's log entries that are worth keeping: no stack traces of every refused connection. */
const plain = ({ error, broker, groupId, retryCount }: Record<string, unknown>): Record<string, unknown> => ({
  error,
  broker,
  groupId,
  retryCount,
});

function authority(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([`"kafka.caFile" is ${file}, which cannot be read: ${(error as Error).message}`]);
  }
}

/** Sockets to brokers, by the settings' way through a proxy. */
export function socketFactory({ portOffset }: Pick<KafkaSettings, 'portOffset'>): ISocketFactory {
  return ({ host, port, ssl, onConnect }): Socket => {
    const at = { host, port: port + portOffset };
    const named = /^[\d.:]+$/.test(host) ? {} : { servername: host };
    const socket = ssl ? connectTls({ ...at, ...named, ...ssl }, onConnect) : connectPlain(at, onConnect);
    socket.setKeepAlive(true, 60_000);
    // The client does so each time that it lets go of a broker, also when the socket is long dead: each would leave a listener.
    const unref = socket.unref.bind(socket);
    socket.unref = () => (socket.destroyed ? socket : unref());
    return socket;
  };
}

/** What went wrong with the brokers, in one line, with what to do about it. */
export function describeKafkaError(error: unknown, settings: KafkaSettings): string {
  const chain = [...causes(error)];
  const text = chain.map(({ message }) => message).join(' · ');
  const where = settings.brokers.join(', ');
  if (chain.some(({ name }) => name === 'KafkaJSSASLAuthenticationError')) {
    return `Kafka at ${where} refuses the user "${settings.username}": check kafka.username and kafka.password.`;
  }
  if (/self.signed|unable to (verify|get)|certificate/i.test(text)) {
    return `The certificate of Kafka at ${where} is not trusted: set kafka.caFile to the PEM file of its authority.`;
  }
  if (/AUTHORIZATION_FAILED|not authorized/i.test(text)) {
    return `Kafka at ${where} does not allow this to the user "${settings.username}": check its ACLs (${chain[0]?.message ?? ''}).`;
  }
  if (/INCONSISTENT_GROUP_PROTOCOL|supported protocols are incompatible/i.test(text)) {
    return 'Other members of the consumer group divide it into another number of shards: stop them first, or use their number.';
  }
  const network =
    /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ETIMEDOUT|ECONNRESET/.exec(text) ??
    /connection (timeout|error)|closed connection|no brokers/i.exec(text);
  if (network !== null || chain.some(({ name }) => name === 'KafkaJSConnectionError')) {
    const encryption = settings.tls ? '' : ' If they expect encryption, set kafka.tls.';
    return `No Kafka broker answers at ${where} (${network?.[0] ?? 'no connection'}): check kafka.brokers and that the brokers run.${encryption}`;
  }
  return `Kafka at ${where}: ${chain[0]?.message ?? String(error)}`;
}

function* causes(error: unknown): Iterable<Error> {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) yield at;
}

/**
 * Asks the cluster for its members, for a start that fails early.
 * @returns number of brokers that answer to the cluster
 * @throws KafkaUnavailable
 */
export async function checkBrokers(settings: KafkaSettings): Promise<number> {
  const admin = kafkaClient(settings).admin({ retry: { initialRetryTime: 100, maxRetryTime: 300, retries: 3 } });
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length;
  } catch (error) {
    throw new KafkaUnavailable(describeKafkaError(error, settings), error);
  } finally {
    await admin.disconnect();
  }
}
