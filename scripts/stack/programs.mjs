// Programs of the system: found on the PATH, installed from Debian where the script may, else asked for in one sentence.
import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian's postinst scripts start what they install, unless this file says no. */
const POLICY = '/usr/sbin/policy-rc.d';
let listsAreFresh = false;

export const isExecutable = (path) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** First program of the names on the PATH or in the folders; undefined when there is none. */
export const findProgram = (names, folders = []) =>
  [...(process.env.PATH ?? '').split(delimiter), ...folders]
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find(isExecutable);

/** Runs a command with its output on standard error. @throws when it fails */
export function runOrThrow(command, args, { what, ...options }) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2], ...options });
  if (error !== undefined) throw new Error(`${what} failed: ${error.message}`);
  if (status !== 0)
    throw new Error(
      `${what} failed (${command} ended with code ${status}); its output is above, or in supervisor.log.`,
    );
}

function apt(...args) {
  const { status } = spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', '-qq', ...args], {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return status === 0;
}

/** Installs Debian packages and keeps the services they bring from starting; false when that is not possible here. */
export function installDebian(packages) {
  if (process.getuid() !== 0 || findProgram(['apt-get']) === undefined) return false;
  process.stderr.write(`Installing from Debian: ${packages.join(', ')}\n`);
  const ownPolicy = !existsSync(POLICY);
  if (ownPolicy) {
    writeFileSync(POLICY, '#!/bin/sh\nexit 101\n');
    chmodSync(POLICY, 0o755);
  }
  try {
    listsAreFresh ||= apt('update');
    return apt('install', '-y', '--no-install-recommends', ...packages);
  } finally {
    if (ownPolicy) rmSync(POLICY);
  }
}

/** What `find` returns, after an installation if need be. @throws Error that says what is missing and how to get it */
export function ensure(find, { what, packages }) {
  const found = find();
  if (found !== undefined) return found;
  if (installDebian(packages)) {
    const installed = find();
    if (installed !== undefined) return installed;
  }
  throw new Error(
    `${what} is missing and could not be installed here. As root on Debian: apt-get install ${packages.join(' ')}`,
  );
}
