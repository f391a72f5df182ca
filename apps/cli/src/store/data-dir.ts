import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Io } from '../io';

const NAME = '.moon';

/**
 * The data directory that a command works on: the one that is named (--data-dir, then MOON_DATA_DIR), else the nearest
 * `.moon` in the current folder or above it, else the one that `npm start` would make.
 */
export function dataDirOf({ cwd, env }: Pick<Io, 'cwd' | 'env'>, named: string | undefined): string {
  const given = named ?? env.MOON_DATA_DIR;
  if (given !== undefined && given !== '') return resolve(cwd, given);
  for (const folder of upwards(cwd)) {
    const path = join(folder, NAME);
    if (existsSync(path) && statSync(path).isDirectory()) return path;
  }
  return join(projectFolder(), NAME);
}

/** The folder that holds this program's package.json, wherever it was built to. */
export function projectFolder(): string {
  for (const folder of upwards(__dirname)) if (existsSync(join(folder, 'package.json'))) return folder;
  throw new Error(`No package.json above ${__dirname}.`);
}

function* upwards(from: string): Iterable<string> {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    yield folder;
    if (dirname(folder) === folder) return;
  }
}
