// The last line of .ci/run: what the suites that were run add up to. Fails when a test failed, and when none ran.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(resolve(dirname(fileURLToPath(import.meta.url)), '..'), '.moon', 'test-results');
const total = { passed: 0, failed: 0, skipped: 0 };
for (const name of existsSync(folder) ? readdirSync(folder) : []) {
  if (!name.endsWith('.json')) continue;
  const suite = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  for (const key of Object.keys(total)) total[key] += suite[key];
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);
if (total.failed > 0 || total.passed === 0) process.exitCode = 1;
