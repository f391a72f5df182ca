// Runs one suite: builds first (worker threads and child processes run from dist/), then jest with the arguments given.
// `npm test -- libs/domain` runs the unit tests of one folder.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { chromium, prometheus, stack } from './services.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const [suite, ...jestArguments] = process.argv.slice(2);
const shared = resolve(root, process.env.MOON_SHARED ?? '../shared');

if (suite === 'data' && !existsSync(join(shared, 'data'))) {
  const message =
    'The recorded market data is missing: no folder "data" in the shared folder. ' +
    'Set MOON_SHARED to the folder that holds it (default: "shared" beside this repository).';
  process.stderr.write(`${message}\n`);
  if (process.env.CI) process.exit(1);
  process.stderr.write('No data test was run, and none is recorded as passed.\n');
  process.exit(0);
}

const services = {};
try {
  if (suite === 'services') {
    services.MOON_CHROMIUM = chromium();
    const { server, tool } = prometheus();
    Object.assign(services, { MOON_PROMETHEUS: server, MOON_PROMTOOL: tool });
  }
  if (['services', 'cluster', 'long'].includes(suite)) await stack();
  await build();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

// A failed test of servers may leave a connection that tries for ever: it must not keep CI waiting.
const ends = suite === 'services' || suite === 'cluster' ? ['--forceExit'] : [];
const child = spawn(process.execPath, [join(root, 'node_modules/jest/bin/jest.js'), ...ends, ...jestArguments], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, ...services, MOON_SUITE: suite, MOON_SHARED: shared },
});
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
