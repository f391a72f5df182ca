import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The repository, whether this runs from the sources or from dist/. */
export const ROOT = rootAbove(__dirname);

function rootAbove(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  if (dirname(folder) === folder) throw new Error(`There is no package.json above ${__dirname}.`);
  return rootAbove(dirname(folder));
}

/** The native stack for programs; required at run time, since it is no part of what is compiled. */
export const stackApi = createRequire(__filename)(
  join(ROOT, 'scripts/stack/api.cjs'),
) as typeof import('../../../scripts/stack/api.cjs');

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls until `read` gives something; @throws Error that says what was waited for */
export async function waitFor<T>(what: string, limitMs: number, read: () => Promise<T | null> | T | null): Promise<T> {
  for (const end = Date.now() + limitMs; ; await pause(100)) {
    const value = await read();
    if (value !== null) return value;
    if (Date.now() > end) throw new Error(`${what}: not within ${Math.round(limitMs / 1_000)} s.`);
  }
}
