// Writes docs/events.md from the definitions in libs/events: `node scripts/events-reference.mjs`.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
await build({ quiet: true });
const { eventReference } = createRequire(import.meta.url)(join(root, 'dist/libs/events/src/reference.js'));
writeFileSync(join(root, 'docs/events.md'), eventReference());
