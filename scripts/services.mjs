// Finds the programs that `npm run test:services` needs, and installs what is missing where it may: as root on Debian.
import { install } from './stack/install.mjs';
import { KINDS } from './stack/layout.mjs';
import { ensure, findProgram, installDebian, isExecutable } from './stack/programs.mjs';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Path of a Chromium, from MOON_CHROMIUM, the PATH, or freshly installed; an Error that says how to get one otherwise. */
export function chromium() {
  const named = process.env.MOON_CHROMIUM;
  if (named !== undefined && !isExecutable(named)) throw new Error(`MOON_CHROMIUM is ${named}, which cannot be run.`);
  const found = named ?? findProgram(BROWSERS);
  if (found !== undefined) return found;
  if (installDebian(['chromium'])) {
    const installed = findProgram(BROWSERS);
    if (installed !== undefined) return installed;
  }
  throw new Error(
    'The tests on services need a Chromium, and none was found. Install one (Debian: apt-get install chromium), or set ' +
      'MOON_CHROMIUM to its path. No such test was run, and none is recorded as passed.',
  );
}

/** Paths of Prometheus and its promtool. @throws Error that says how to get them */
export function prometheus() {
  const find = () => {
    const [server, tool] = [findProgram(['prometheus']), findProgram(['promtool'])];
    return server !== undefined && tool !== undefined ? { server, tool } : undefined;
  };
  return ensure(find, { what: 'Prometheus, with promtool,', packages: ['prometheus'] });
}

/** Everything that the native stack runs. @throws Error that names what is missing and how to get it */
export async function stack() {
  try {
    await install(KINDS);
  } catch (error) {
    throw new Error(`${error.message}\nNo test on services was run, and none is recorded as passed.`, { cause: error });
  }
}
