// Spoils one module of the compiled tree, then runs the command line: for differences that parity must find.
const { join } = require('node:path');
const dist = join(__dirname, '..', '..', 'dist');

exports.plant = (module, spoil) => {
  const path = join(dist, module);
  const original = require(path);
  require.cache[path].exports = { ...original, ...spoil(original) };
  process.argv[1] = join(dist, 'apps/cli/src/main.js');
  require(process.argv[1]);
};
