import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The repository's root folder. */
export const root = join(__dirname, '..', '..');

export const readText = (path: string): string => readFileSync(join(root, path), 'utf8');

export const readJson = <T>(path: string): T => JSON.parse(readText(path)) as T;

/** Files that git knows or would add, as paths from the root; generated and ignored ones are not among them. */
export function repositoryFiles(): string[] {
  const output = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return output.split('\0').filter((path) => path !== '' && statSync(join(root, path), { throwIfNoEntry: false }));
}

export const specFiles = (): string[] =>
  repositoryFiles().filter((path) => /\.(spec|data-spec|long-spec|services-spec|cluster-spec)\.tsx?$/.test(path));

/** Names of the folders directly in `path`. */
export const foldersIn = (path: string): string[] =>
  readdirSync(join(root, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
