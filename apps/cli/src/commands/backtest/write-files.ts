import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { FILE_NAMES, type BacktestFiles } from '@moon/backtesting';
import { CommandFailed } from '../../errors';

/**
 * Makes sure, before a run that may take long, that its report can be written afterwards.
 *
 * @returns true when the folder was made for it
 * @throws CommandFailed that names the folder
 */
export function assertWritable(folder: string): boolean {
  try {
    const made = makeFolder(folder);
    accessSync(folder, constants.W_OK | constants.X_OK);
    return made;
  } catch (error) {
    throw new CommandFailed(
      `The report cannot be written to ${folder}: ${reasonOf(error)}. Name another folder with --out.`,
    );
  }
}

/**
 * Makes a folder and those that it lies in. Node's own way never comes back where the system says of a folder that is
 * there that it is not, as below /proc.
 */
function makeFolder(folder: string): boolean {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return false;
  const parent = dirname(folder);
  if (parent !== folder && !statSync(parent, { throwIfNoEntry: false })) makeFolder(parent);
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    // Another run made it meanwhile.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return false;
    throw error;
  }
}

/** Takes away a folder for a report that nothing was written to. */
export function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT' && code !== 'EEXIST') throw error;
  }
}

/**
 * Writes all files of a report, or none of them: each beside its place first, and when every one is on the disk they are
 * renamed.
 *
 * @returns the path of each file by its name
 * @throws CommandFailed that names the folder and what is wrong, e.g. that the disk is full
 */
export function writeFiles(folder: string, files: BacktestFiles): Record<string, string> {
  const names = Object.keys(FILE_NAMES) as (keyof BacktestFiles)[];
  const drafts = names.map((name) => join(folder, `.${FILE_NAMES[name]}.${process.pid}.draft`));
  try {
    makeFolder(folder);
    names.forEach((name, index) => writeWhole(drafts[index]!, files[name]));
    names.forEach((name, index) => renameSync(drafts[index]!, join(folder, FILE_NAMES[name])));
  } catch (error) {
    for (const draft of drafts) rmSync(draft, { force: true });
    throw new CommandFailed(
      `The report could not be written to ${folder}: ${reasonOf(error)}. Nothing half-written was left; make room, or name another folder with --out, and run it again.`,
    );
  }
  return Object.fromEntries(names.map((name) => [FILE_NAMES[name], join(folder, FILE_NAMES[name])]));
}

function writeWhole(path: string, text: string): void {
  const file = openSync(path, 'w');
  try {
    const bytes = Buffer.from(text, 'utf8');
    for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'nothing can be made there',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is no folder',
  EEXIST: 'there is a file of that name',
};

export function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}
