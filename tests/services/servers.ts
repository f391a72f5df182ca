import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import type { HostAndPort, StackAddresses } from '../../scripts/stack/api.cjs';

const or = (action: () => string): string => {
  try {
    return action();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
};

/** Every process that has the folder in its command line or works in it, whoever started it. */
export function processesOf(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const command = or(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
      const cwd = or(() => readlinkSync(`/proc/${pid}/cwd`));
      return command.includes(folder) || cwd.startsWith(folder) ? [`${pid} ${command}`] : [];
    });
}

/** Polls until the condition holds; what it said last when it does not within `limitMs`. */
export async function eventually<T>(read: () => Promise<T> | T, holds: (value: T) => boolean, limitMs = 60_000) {
  const deadline = Date.now() + limitMs;
  let value = await read();
  while (!holds(value) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    value = await read();
  }
  return value;
}

/** A client of the stack's brokers, `offset` ports beside those they advertise. */
export const kafkaOf = ({ kafka }: StackAddresses, offset = 0): Kafka =>
  new Kafka({
    brokers: kafka!.brokers,
    logLevel: logLevel.NOTHING,
    connectionTimeout: 5_000,
    requestTimeout: 20_000,
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 20 },
    socketFactory: ({ host, port, onConnect }) => connect({ host, port: port + offset }, onConnect),
  });

/** Rows of one statement on one server of the stack. */
export async function query(
  { postgres }: StackAddresses,
  { host, port }: HostAndPort,
  sql: string,
): Promise<Record<string, unknown>[]> {
  const client = new Client({ host, port, user: postgres!.superuser, password: postgres!.password });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** What a Redis server or Sentinel answers to a command, in its protocol; '' when it does not answer within a second. */
export const redisSays = ({ host, port }: HostAndPort, command: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect({ host, port }, () => socket.write(`${command}\r\n`));
    const done = (text: string): void => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(1_000, () => done(''));
    socket.on('error', () => done(''));
    socket.once('data', (data) => done(data.toString().trim()));
  });
