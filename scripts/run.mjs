// `npm start` and `npm run bench`: builds what changed, then runs the named file of dist/ in this process, so that
// signals and exit codes are the program's own.
import Module from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const [entry, ...programArguments] = process.argv.slice(2);

try {
  await build();
  const file = join(root, 'dist', `${entry}.js`);
  process.argv = [process.argv[0], file, ...programArguments];
  process.setSourceMapsEnabled(true);
  // As its main module, so that `require.main` and `process.argv` are what they would be under `node FILE`.
  Module.runMain(file);
} catch (error) {
  process.stderr.write(`${error.stack ?? error}\n`);
  process.exitCode = 1;
}
