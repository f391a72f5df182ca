import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { nativePrograms, startEmbeddedPostgres } from '@moon/infra';
import { projectFolder } from '../../../store/data-dir';
import { messageOf, note, ok, wrong, type Finding } from '../finding';

const HOST = '127.0.0.1';
const GIB = 1024 ** 3;
/** Below this the database may stop in the middle of a day. */
const LITTLE_SPACE = 2 * GIB;
/** Below this PostgreSQL cannot even start anew. */
const NO_SPACE = 0.25 * GIB;
const HTTP_TIMEOUT_MS = 2_000;

/** @param version of Node, e.g. 20.19.1 */
export function checkNode(version = process.versions.node): Finding {
  const { engines } = JSON.parse(readFileSync(join(projectFolder(), 'package.json'), 'utf8')) as {
    engines: { node: string };
  };
  const needed = engines.node.replace(/[^\d.]/g, '');
  if (compareVersions(version, needed) >= 0) return ok('node', `Node ${version} (${engines.node} is needed).`);
  return wrong(
    'node',
    `Node ${version} is too old: ${engines.node} is needed.`,
    'Install a newer Node, e.g. from nodejs.org or with your version manager.',
  );
}

function compareVersions(a: string, b: string): number {
  const [one, other] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let index = 0; index < 3; index += 1) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether the data directory can be written to, or be made, and how much room there is. */
export function checkDisk(dataDir: string): Finding[] {
  const folder = nearestExisting(dataDir);
  const probe = join(folder, `.moon-doctor-${process.pid}`);
  try {
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (error) {
    return [
      wrong(
        'data directory',
        `${folder} cannot be written to: ${messageOf(error)}`,
        'Give this user the right to write there, or name another folder with --data-dir.',
      ),
    ];
  }
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const text = `${(free / GIB).toFixed(1)} GiB free in ${folder}.`;
  const mend = 'Free some space, or move the data directory to a larger disk (--data-dir).';
  const space =
    free < NO_SPACE ? wrong('disk', text, mend) : free < LITTLE_SPACE ? note('disk', text, mend) : ok('disk', text);
  const state =
    folder === dataDir
      ? ok('data directory', `${dataDir} can be written to.`)
      : note(
          'data directory',
          `${dataDir} is not there yet; it can be made.`,
          '"npm start" and "moon import" make it.',
        );
  return [state, space];
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}

/** @param isPlatformRunning it may have the port itself, then */
export async function checkPort(port: number, isPlatformRunning: boolean): Promise<Finding> {
  if (port === 0) return ok('port', 'Any free port is taken (port 0).');
  const code = await new Promise<string | null>((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    probe.listen(port, HOST, () => probe.close(() => resolve(null)));
  });
  if (code === null) return ok('port', `Port ${port} is free.`);
  if (code !== 'EADDRINUSE')
    return wrong(
      'port',
      `Port ${port} cannot be opened (${code}).`,
      'Choose a port above 1023: --port, or "port" in the configuration.',
    );
  if (isPlatformRunning && (await answersAsPlatform(port)))
    return ok('port', `Port ${port} is the running platform's.`);
  return wrong(
    'port',
    `Port ${port} is taken by another program.`,
    'Stop that program, or start the platform with --port and another number.',
  );
}

async function answersAsPlatform(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://${HOST}:${port}/health/live`, { signal: AbortSignal.timeout(HTTP_TIMEOUT_MS) });
    const body = (await answer.json()) as { status?: unknown; state?: unknown };
    return body.status === 'ok' && typeof body.state === 'string';
  } catch {
    // Whatever answers, or does not, is no platform.
    return false;
  }
}

const POSTGRES_MEND = 'Run "npm ci" on this machine, optional dependencies included.';

export function checkPrograms(): Finding {
  try {
    return ok('postgres programs', `PostgreSQL programs of package ${nativePrograms().version} are in place.`);
  } catch (error) {
    return wrong('postgres programs', messageOf(error), POSTGRES_MEND);
  }
}

/** Proves that a server starts here at all, in a folder of its own: nothing is left behind. */
export async function checkServerStarts(): Promise<Finding> {
  const folder = mkdtempSync(join(tmpdir(), 'moon-doctor-'));
  try {
    const server = await startEmbeddedPostgres({ dataDir: folder, settings: { fsync: 'off' } });
    await server.stop();
    return ok(
      'database',
      `There are no data yet; a PostgreSQL server starts on this machine (${server.startupMs} ms, tried in a temporary folder).`,
    );
  } catch (error) {
    return wrong('database', `A PostgreSQL server does not start on this machine: ${messageOf(error)}`, POSTGRES_MEND);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
