#!/usr/bin/env node
// `npx moon …`: builds what changed since the last time (nothing, as a rule), then runs the command line in this process.
'use strict';
const Module = require('node:module');
const { join } = require('node:path');

async function main() {
  const { build } = await import('../scripts/build.mjs');
  await build();
  process.setSourceMapsEnabled(true);
  const file = join(__dirname, '../dist/apps/cli/src/main.js');
  process.argv[1] = file;
  Module.runMain(file);
}

main().catch((error) => {
  process.stderr.write(`${error.stack ?? error}\n`);
  process.exitCode = 1;
});
