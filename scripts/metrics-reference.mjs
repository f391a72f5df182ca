// Writes docs/metrics-exported.md from the catalog of metrics in libs/infra: `node scripts/metrics-reference.mjs`.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
await build({ quiet: true });
const { metricsReference } = createRequire(import.meta.url)(
  join(root, 'dist/libs/infra/src/telemetry/metrics/reference.js'),
);
writeFileSync(join(root, 'docs/metrics-exported.md'), metricsReference());
