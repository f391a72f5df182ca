// `npm run requirements [-- --json]`: which requirements are held, from the last whole run of each suite.
// An ID is held when at least one test whose title carries it passed and none that carries it failed.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import tableReader from './requirement-table.cjs';

const { requirementIds, requirementTable } = tableReader;
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
// Another folder can be named for tests of this script.
const results = process.env.MOON_TEST_RESULTS ?? join(root, '.moon', 'test-results');
const table = requirementTable(readFileSync(join(root, 'docs/requirements.md'), 'utf8'));

const suites = existsSync(results)
  ? readdirSync(results)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => JSON.parse(readFileSync(join(results, name), 'utf8')))
  : [];
const passed = new Map();
const failed = new Map();
const note = (map, id, title) => map.set(id, [...(map.get(id) ?? []), title]);
for (const { files } of suites) {
  for (const { title, status } of files.flatMap((file) => file.tests)) {
    const into = { passed, failed }[status];
    if (into) for (const id of new Set(requirementIds(title))) note(into, id, title);
  }
}
const held = [...table.keys()].filter((id) => passed.has(id) && !failed.has(id));

if (process.argv.includes('--json')) {
  const ids = Object.fromEntries(held.map((id) => [id, passed.get(id)]));
  process.stdout.write(`${JSON.stringify({ total: table.size, held: held.length, ids })}\n`);
} else {
  const say = (line = '') => process.stdout.write(`${line}\n`);
  for (const id of held) {
    say(`${id}  ${table.get(id)}`);
    for (const title of passed.get(id)) say(`    ✓ ${title}`);
  }
  const broken = [...table.keys()].filter((id) => failed.has(id));
  if (broken.length > 0) say('\nNot held, a test that carries the ID failed:');
  for (const id of broken) for (const title of failed.get(id)) say(`${id}  ✗ ${title}`);
  const open = [...table.keys()].filter((id) => !passed.has(id) && !failed.has(id));
  say(`\nNo test yet: ${open.join(' ')}`);
  if (suites.length === 0) say('No suite has been run yet: npm test');
  for (const { suite, ranAt } of suites) say(`suite ${suite}: last whole run ${ranAt}`);
  say(`\n${held.length} of ${table.size} requirements held`);
}
