// Compiles apps/, libs/, bench/ and the fault rig to dist/, which mirrors the source tree, so `../../../libs/…` keeps its meaning.
// swc does no type check (`npm run typecheck` does); only files that changed since the last build are compiled.
// Everything printed goes to stderr: with `--json` the last line of stdout belongs to the program that is run.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transform } from '@swc/core';
import { withDirectBindings } from './direct-bindings.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const sourceFolders = ['apps', 'libs', 'bench', 'tests/faults/cluster'];
const dist = join(root, 'dist');
const manifestPath = join(dist, '.build.json');
const notCompiled = /(\.d\.ts|\.spec\.ts|\.data-spec\.ts|\.long-spec\.ts|\.services-spec\.ts|\.cluster-spec\.ts)$/;
/** Read at run time beside the code: SQL of migrations, recorded schemas, templates. */
const copied = /\.(json|sql|html|css|csv)$/;

function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}

function sources() {
  const found = [];
  for (const folder of sourceFolders) {
    const absolute = join(root, folder);
    // The dashboard has a build of its own.
    if (existsSync(absolute)) {
      for (const path of filesBelow(absolute)) {
        const name = relative(root, path).split(sep).join('/');
        if (name.startsWith('apps/dashboard/')) continue;
        if (name.endsWith('.ts') ? !notCompiled.test(name) : copied.test(name)) found.push(name);
      }
    }
  }
  return found.sort();
}

const digest = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

function readManifest() {
  try {
    return JSON.parse(readFileSync(manifestPath, 'utf8'));
  } catch {
    return { settings: '', files: {} };
  }
}

/** Written beside and renamed, so that a process that runs from dist/ meanwhile never reads half a file. */
function write(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.draft`;
  writeFileSync(draft, content);
  renameSync(draft, path);
}

/** @returns how many files were compiled or removed; throws an Error that lists every file that does not compile. */
export async function build({ quiet = false } = {}) {
  const started = performance.now();
  const swcrc = readFileSync(join(root, '.swcrc'), 'utf8');
  const { $schema: _schema, ...swcOptions } = JSON.parse(swcrc);
  // Comments are allowed in a tsconfig; this one has none, so that it can be read as JSON here and in jest.config.cjs.
  const tsconfig = readFileSync(join(root, 'tsconfig.json'), 'utf8');
  const paths = JSON.parse(tsconfig).compilerOptions.paths;
  const swcVersion = readFileSync(join(root, 'node_modules/@swc/core/package.json'));
  const scripts = ['build.mjs', 'direct-bindings.mjs'].map((name) => readFileSync(join(root, 'scripts', name)));
  const settings = digest(swcrc, JSON.stringify(paths), swcVersion, ...scripts);
  const old = readManifest();
  const known = old.settings === settings ? old.files : {};
  const files = {};
  const failures = [];
  let changed = 0;

  await Promise.all(
    sources().map(async (name) => {
      const content = readFileSync(join(root, name));
      const hash = digest(content);
      const target = join(dist, name.replace(/\.ts$/, '.js'));
      files[name] = hash;
      if (known[name] === hash && existsSync(target)) return;
      changed += 1;
      if (!name.endsWith('.ts')) return write(target, content);
      try {
        const { code, map } = await transform(content.toString('utf8'), {
          ...swcOptions,
          swcrc: false,
          configFile: false,
          module: { type: 'es6' },
          cwd: root,
          filename: join(root, name),
          sourceFileName: relative(dirname(target), join(root, name)),
          jsc: { ...swcOptions.jsc, baseUrl: root, paths },
        });
        const bound = withDirectBindings(code);
        if (map) write(`${target}.map`, map);
        write(
          target,
          map ? `${bound}//# sourceMappingURL=${name.split('/').pop().replace(/\.ts$/, '.js')}.map\n` : bound,
        );
      } catch (error) {
        delete files[name];
        failures.push(`${name}: ${error.message}`);
      }
    }),
  );
  for (const name of Object.keys(old.files)) {
    if (name in files || failures.some((failure) => failure.startsWith(`${name}:`))) continue;
    changed += 1;
    const target = join(dist, name.replace(/\.ts$/, '.js'));
    rmSync(target, { force: true });
    rmSync(`${target}.map`, { force: true });
  }
  if (changed > 0 || old.settings !== settings) write(manifestPath, JSON.stringify({ settings, files }));
  if (failures.length > 0) throw new Error(`${failures.length} file(s) do not compile:\n${failures.join('\n')}`);
  if (!quiet && changed > 0) {
    const ms = Math.round(performance.now() - started);
    process.stderr.write(`build: ${changed} of ${Object.keys(files).length} files in ${ms} ms\n`);
  }
  return changed;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  build().catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}
