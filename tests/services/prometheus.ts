import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { readText, root } from '../workshop/repository';

const programOf = (variable: 'MOON_PROMETHEUS' | 'MOON_PROMTOOL'): string => {
  const path = process.env[variable];
  if (path === undefined) throw new Error(`${variable} is not set: \`npm run test:services\` finds and installs it.`);
  return path;
};

/** Runs promtool in the repository. @returns what it prints @throws Error with its output when it ends with another code than 0 */
export async function promtool(args: readonly string[], input?: string): Promise<string> {
  const running = promisify(execFile)(programOf('MOON_PROMTOOL'), [...args], { cwd: root });
  if (input !== undefined) running.child.stdin?.end(input);
  const { stdout, stderr } = await running;
  return stdout + stderr;
}

interface Config {
  rule_files: string[];
  scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
}

/** The configuration of docker-compose.yml with the rules where the repository has them, and what a test changes. */
export function configOf(change: { everySeconds?: number; moon?: string } = {}): string {
  const { moon, everySeconds: seconds } = change;
  const config = parse(readText('deploy/prometheus/prometheus.yml')) as Config;
  return stringify({
    ...config,
    ...(seconds && { global: { scrape_interval: `${seconds}s`, evaluation_interval: `${seconds}s` } }),
    rule_files: config.rule_files.map((path) => path.replace('/etc/', `${root}/deploy/`)),
    ...(moon && { scrape_configs: [{ job_name: 'moon', static_configs: [{ targets: [moon] }] }] }),
  });
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

interface Alert {
  labels: { alertname: string; instance?: string };
  state: 'pending' | 'firing';
}

/** A Prometheus of its own, with its data in a folder of the test. */
export class Prometheus {
  private output = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly url: string,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.output = (this.output + chunk.toString()).slice(-4_000)));
  }

  static async start(folder: string, config: string): Promise<Prometheus> {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'prometheus.yml'), config);
    const address = `127.0.0.1:${await freePort()}`;
    const flags = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=${address}`];
    const options = { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'] };
    return new Prometheus(spawn(programOf('MOON_PROMETHEUS'), flags, options), `http://${address}`);
  }

  /** Value of each series that an expression gives, by the label. */
  async query(expression: string, label = '__name__'): Promise<Record<string, number>> {
    const { result } = await this.get<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
      `query?query=${encodeURIComponent(expression)}`,
    );
    return Object.fromEntries(result.map(({ metric, value }) => [metric[label] ?? '', Number(value[1])]));
  }

  /** Alerts that are pending or firing, by name. */
  async alerts(): Promise<Record<string, Alert['state']>> {
    const { alerts } = await this.get<{ alerts: Alert[] }>('alerts');
    return Object.fromEntries(alerts.map(({ labels, state }) => [labels.alertname, state]));
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await ended;
  }

  /** Waits while the server starts. @throws Error with its output when it ended */
  private async get<T>(path: string): Promise<T> {
    for (;;) {
      if (this.child.exitCode !== null) throw new Error(`Prometheus ended:\n${this.output}`);
      try {
        const answer = await fetch(`${this.url}/api/v1/${path}`);
        const { status, data, error } = (await answer.json()) as { status: string; data: T; error?: string };
        if (status !== 'success') throw new Error(`Prometheus refuses ${path}: ${error}`);
        return data;
      } catch (error) {
        const { code } = ((error as Error).cause ?? {}) as { code?: string };
        if (code !== 'ECONNREFUSED') throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}
