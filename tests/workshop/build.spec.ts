import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from './repository';

describe('the build', () => {
  let tree: string;
  beforeEach(() => {
    tree = mkdtempSync(join(tmpdir(), 'moon-build-'));
    for (const path of ['bin', 'scripts', '.swcrc', 'tsconfig.json', 'package.json']) {
      cpSync(join(root, path), join(tree, path), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'), 'junction');
    source('libs/events/src/index.ts', 'export const price = 3;\n');
    source(
      'libs/kernel/src/core/double.ts',
      "import { price } from '@moon/events';\nexport const double = price * 2;\n",
    );
    source('libs/kernel/src/index.ts', "export { double } from './core/double';\n");
    source('libs/kernel/src/schema.json', '{}');
    source(
      'apps/cli/src/main.ts',
      `import { Injectable, Module } from '@nestjs/common';
       import { NestFactory } from '@nestjs/core';
       import { double } from '@moon/kernel';
       @Injectable() class Inner { readonly value = double; }
       @Injectable() class Outer { constructor(readonly inner: Inner) {} }
       @Module({ providers: [Inner, Outer] }) class AppModule {}
       void NestFactory.createApplicationContext(AppModule, { logger: false }).then(async (app) => {
         const value = app.get(Outer).inner.value;
         await app.close();
         console.log(JSON.stringify({ value, isMain: require.main === module, arguments: process.argv.slice(2) }));
       });\n`,
    );
  });
  afterEach(() => rmSync(tree, { recursive: true, force: true }));

  function source(path: string, code: string) {
    mkdirSync(join(tree, dirname(path)), { recursive: true });
    writeFileSync(join(tree, path), code);
  }
  const run = (script: string, ...flags: string[]) =>
    spawnSync(process.execPath, [join(tree, script), ...flags], { cwd: tmpdir(), encoding: 'utf8' });

  it('runs the command line from anywhere, with aliases and injection resolved, and leaves stdout to it', () => {
    const { stdout, stderr, status } = run('bin/moon.js', 'events', '--json');

    expect({ stdout, status }).toEqual({
      stdout: '{"value":6,"isMain":true,"arguments":["events","--json"]}\n',
      status: 0,
    });
    expect(stderr).toMatch(/^build: 5 of 5 files/);
    expect(existsSync(join(tree, 'dist/libs/kernel/src/schema.json'))).toBe(true);
  });

  it('compiles only what changed, and forgets what was removed', () => {
    run('scripts/build.mjs');
    const untouched = statSync(join(tree, 'dist/libs/kernel/src/core/double.js')).mtimeMs;

    const again = run('scripts/build.mjs').stderr;
    source('libs/events/src/index.ts', 'export const price = 4;\n');
    source('libs/events/src/extra.ts', 'export const extra = 1;\n');
    const changed = run('bin/moon.js');
    rmSync(join(tree, 'libs/events/src/extra.ts'));
    run('scripts/build.mjs');

    expect(again).toBe('');
    expect(changed.stderr).toMatch(/^build: 2 of 6 files/);
    expect(changed.stdout).toContain('"value":8');
    expect(existsSync(join(tree, 'dist/libs/events/src/extra.js'))).toBe(false);
    expect(statSync(join(tree, 'dist/libs/kernel/src/core/double.js')).mtimeMs).toBe(untouched);
  });

  it('binds what is imported once, whatever way it is passed on', () => {
    source('libs/events/src/one.ts', '/** One. */ export function one() { return 1; }\nexport class Two {}\n');
    source(
      'libs/events/src/all.ts',
      "export * from './one';\nexport { one as first, Two } from './one';\nexport * as ones from './one';\n",
    );
    source(
      'apps/cli/src/main.ts',
      `import path, { join as joined } from 'node:path';
       import * as all from '../../../libs/events/src/all';
       import { first, ones, type Two } from '../../../libs/events/src/all';
       const two: Two = new all.Two();
       void import('../../../libs/events/src/one').then(({ one }) => {
         const same = [all.one, ones.one, one].every((found) => found === first);
         console.log(JSON.stringify([same, two instanceof ones.Two, joined === path.join]));
       });\n`,
    );

    expect(run('bin/moon.js').stdout).toBe('[true,true,true]\n');
    const compiled = readFileSync(join(tree, 'dist/apps/cli/src/main.js'), 'utf8');
    expect(compiled).toContain('const { first, ones } = require("../../../libs/events/src/all");');
  });

  it('refuses an exported name that could be given another value', () => {
    source('libs/events/src/index.ts', 'export let price = 3;\n');

    const { stderr, status } = run('scripts/build.mjs');

    expect(stderr).toContain('libs/events/src/index.ts: No rule for this statement: export let price = 3;');
    expect(status).toBe(1);
  });

  it('names every file that does not compile, and fails', () => {
    source('libs/events/src/index.ts', 'export const = 3;\n');
    source('libs/kernel/src/other.ts', 'class {\n');

    const { stderr, status } = run('scripts/build.mjs');

    expect(status).toBe(1);
    expect(stderr).toContain('libs/events/src/index.ts');
    expect(stderr).toContain('libs/kernel/src/other.ts');
  });
});
