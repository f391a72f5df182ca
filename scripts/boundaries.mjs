// Holds the tree against .dependency-cruiser.cjs, in the folders that exist.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const folders = ['apps', 'libs', 'bench', 'tests'].filter((folder) => existsSync(join(root, folder)));
const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const { status } = spawnSync(
  process.execPath,
  [cruiser, '--config', join(root, '.dependency-cruiser.cjs'), ...process.argv.slice(2), ...folders],
  { cwd: root, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
