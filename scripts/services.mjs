// Finds the programs that `npm run test:services` needs, and installs what is missing where it may: as root on Debian.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const isExecutable = (path) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const onPath = (names) =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find(isExecutable);

function apt(...options) {
  const { status } = spawnSync('apt-get', options, {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return status === 0;
}

/** Path of a Chromium, from MOON_CHROMIUM, the PATH, or freshly installed; an Error that says how to get one otherwise. */
export function chromium() {
  const named = process.env.MOON_CHROMIUM;
  if (named !== undefined && !isExecutable(named)) throw new Error(`MOON_CHROMIUM is ${named}, which cannot be run.`);
  const found = named ?? onPath(BROWSERS);
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && onPath(['apt-get']) !== undefined) {
    process.stderr.write('No Chromium found: installing Debian’s.\n');
    if (apt('update') && apt('install', '-y', '--no-install-recommends', 'chromium')) {
      const installed = onPath(BROWSERS);
      if (installed !== undefined) return installed;
    }
  }
  throw new Error(
    'The tests on services need a Chromium, and none was found. Install one (Debian: apt-get install chromium), or set ' +
      'MOON_CHROMIUM to its path. No such test was run, and none is recorded as passed.',
  );
}
