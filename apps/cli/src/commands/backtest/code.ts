import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { projectFolder } from '../../store/data-dir';

/** Version of the code; and the commit it stands at, where it is a checkout. */
export function codeFacts(): { codeVersion: string; commit: string | null } {
  const folder = projectFolder();
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  return { codeVersion: version, commit: commitOf(folder) };
}

const COMMIT = /^[0-9a-f]{40}$/;
const SHOWN_DIGITS = 12;

/** The commit that a checkout stands at, read from its files; changes that were not committed do not show. */
function commitOf(folder: string): string | null {
  const git = gitFolder(folder);
  if (git === null) return null;
  const head = readText(join(git, 'HEAD'));
  const name = head?.startsWith('ref: ') ? head.slice('ref: '.length) : null;
  const commit = name === null ? head : refOf(git, name);
  return commit !== null && COMMIT.test(commit) ? commit.slice(0, SHOWN_DIGITS) : null;
}

/** `.git` is a folder, or in a worktree a file that names one. */
function gitFolder(folder: string): string | null {
  const path = join(folder, '.git');
  if (!existsSync(path)) return null;
  if (statSync(path).isDirectory()) return path;
  const named = /^gitdir: (.+)$/.exec(readText(path) ?? '')?.[1];
  return named === undefined ? null : resolve(folder, named);
}

function refOf(git: string, name: string): string | null {
  const common = resolve(git, readText(join(git, 'commondir')) ?? '.');
  for (const place of [git, common]) {
    const text = readText(join(place, name));
    if (text !== null) return text;
  }
  const packed = readText(join(common, 'packed-refs'));
  const line = packed?.split('\n').find((entry) => entry.endsWith(` ${name}`));
  return line?.split(' ')[0] ?? null;
}

function readText(path: string): string | null {
  return existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8').trim() : null;
}
