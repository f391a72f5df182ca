import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Value } from '@sinclair/typebox/value';
import { Redis } from 'ioredis';
import { redisConfigSchema, type RedisConfig } from '../redis/config';

/** A real redis-server of Debian's package in a folder of its own, to be killed, frozen, emptied and started again. */
export interface TestRedis {
  port: number;
  config: RedisConfig;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder. */
  start(): Promise<void>;
  pause(): void;
  resume(): void;
  /** One command on a connection of its own. */
  command(name: string, ...values: string[]): Promise<unknown>;
  stop(): Promise<void>;
}

export interface TestRedisOptions {
  password?: string;
  /** Further settings, e.g. { appendonly: 'yes' }. */
  settings?: Record<string, string>;
}

/** A port of 127.0.0.1 on which nobody listens now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function startTestRedis({ password, settings = {} }: TestRedisOptions = {}): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'moon-redis-'));
  const port = await freePort();
  let child: ChildProcess | null = null;
  const config = Value.Default(redisConfigSchema, {
    nodes: [`127.0.0.1:${port}`],
    environment: 'test',
    ...(password !== undefined && { password }),
  }) as RedisConfig;
  const login = { host: '127.0.0.1', port, ...(password !== undefined && { password }), maxRetriesPerRequest: null };
  const command = async (name: string, ...values: string[]): Promise<unknown> => {
    const client = new Redis({ ...login, retryStrategy: () => 20, enableReadyCheck: true });
    client.on('error', () => undefined);
    try {
      return await client.call(name, ...values);
    } finally {
      client.disconnect();
    }
  };
  const all = {
    ...{ port: String(port), bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no' },
    ...(password !== undefined && { requirepass: password }),
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
  const start = async (): Promise<void> => {
    // Ends with this process, also when that is killed.
    const started = spawn('setpriv', ['--pdeathsig', 'KILL', 'redis-server', ...flags], { stdio: 'ignore' });
    child = started;
    await Promise.race([
      command('PING'),
      new Promise((_resolve, reject) => {
        started.once('error', (error) => reject(new Error(`redis-server cannot be started: ${error.message}`)));
        started.once('exit', (code) => reject(new Error(`redis-server on port ${port} ended with code ${code}`)));
      }),
    ]);
  };
  const kill = async (): Promise<void> => {
    const running = child;
    child = null;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await gone;
  };
  await start();
  return {
    ...{ port, config, kill, start, command },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
