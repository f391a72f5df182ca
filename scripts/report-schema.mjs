// Writes docs/backtest-report.schema.json from libs/backtesting: `node scripts/report-schema.mjs`.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
await build({ quiet: true });
const { backtestReportSchema } = createRequire(import.meta.url)(
  join(root, 'dist/libs/backtesting/src/report/report-schema.js'),
);
writeFileSync(join(root, 'docs/backtest-report.schema.json'), `${JSON.stringify(backtestReportSchema(), null, 2)}\n`);
