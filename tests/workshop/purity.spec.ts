import { execFileSync } from 'node:child_process';
import { readText, repositoryFiles, root } from './repository';

interface Message {
  ruleId: string | null;
  line: number;
}

/** Lints each text as if it stood at the path, with the repository's rules less those that need types. */
function lint(samples: { path: string; code: string }[]): Message[][] {
  const script = `
    import { ESLint } from 'eslint';
    import tseslint from 'typescript-eslint';
    const samples = JSON.parse(process.argv[1]);
    const eslint = new ESLint({ overrideConfig: [{ files: ['**/*.ts'], ...tseslint.configs.disableTypeChecked }] });
    const results = [];
    for (const { path, code } of samples) {
      const [result] = await eslint.lintText(code, { filePath: path });
      results.push(result.messages.map(({ ruleId, line }) => ({ ruleId, line })));
    }
    process.stdout.write(JSON.stringify(results));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script, JSON.stringify(samples)], {
    cwd: root,
    encoding: 'utf8',
  });
  return JSON.parse(output) as Message[][];
}

const impure = [
  'export const a = Date.now();',
  'export const a = new Date();',
  'export const a = Date();',
  'export const a = Math.random();',
  'export const a = crypto.randomUUID();',
  "import { randomUUID } from 'node:crypto';\nexport const a = randomUUID();",
  "import * as c from 'node:crypto';\nexport const a = c.randomBytes(4);",
  'export const a = () => setTimeout(() => a, 1);',
  'export const a = () => setInterval(() => a, 1);',
  'export const a = () => setImmediate(() => a);',
  'export const a = process.env.HOME;',
  "import { env } from 'node:process';\nexport const a = env.HOME;",
  'export const a = async () => 1;',
  'export async function a(): Promise<void> {}',
  'export class A {\n  async a() {}\n}',
  'export const a = Promise.resolve(1);',
  'export const a = (b: Promise<number>) => b;',
  "export const a = import('./b');",
  "import { readFileSync } from 'node:fs';\nexport const a = readFileSync('a');",
  'export const a = globalThis.Date;',
  'export const a = performance.now();',
  'export const a = new Date(0).getHours();',
  'export const a = (1.5).toLocaleString();',
  "console.log('a');",
];

const pure = [
  'export const a = (ms: number) => new Date(ms).toISOString();',
  "import { createHash } from 'node:crypto';\nexport const a = (text: string) => createHash('sha256').update(text).digest();",
  'export const a = (b: number[]) => Math.max(...b);',
];

const guarded = [
  'libs/domain/src/risk/planted.ts',
  'libs/events/src/planted.ts',
  'libs/backtesting/src/venue/planted.ts',
  'apps/recorder/src/planted.projection.ts',
  'apps/agents/src/planted.handler.ts',
];

describe('the purity rules', () => {
  it('refuse clocks, randomness, timers, the environment, promises and I/O in rules and handlers', () => {
    const samples = guarded.flatMap((path) => impure.map((code) => ({ path, code })));
    const results = lint(samples);
    const accepted = samples.filter((_, index) => results[index]?.length === 0);

    expect(results).toHaveLength(samples.length);
    expect(accepted).toEqual([]);
  });

  it('let plain functions pass, and let adapters have the world', () => {
    const samples = [
      ...guarded.flatMap((path) => pure.map((code) => ({ path, code }))),
      { path: 'libs/kernel/src/planted.ts', code: 'export const a = async () => Date.now();' },
      { path: 'apps/execution/src/planted.ts', code: "export const a = () => process.env['HOME'];" },
    ];

    expect(lint(samples)).toEqual(samples.map(() => []));
  });

  it('are switched off by no comment', () => {
    const rules = /no-restricted|no-console/;
    const places = /^libs\/(events|domain|backtesting\/src\/venue)\/|\.(handler|saga|projection)\.ts$/;
    const found = repositoryFiles()
      .filter((path) => places.test(path) && path.endsWith('.ts') && !path.endsWith('.spec.ts'))
      .flatMap((path) =>
        readText(path)
          .split('\n')
          .filter((line) => line.includes('eslint-disable'))
          // A comment that names no rule switches all of them off.
          .filter((line) => rules.test(line) || !/eslint-disable\S*\s+@?\w/.test(line))
          .map((line) => `${path}: ${line.trim()}`),
      );

    expect(found).toEqual([]);
  });
});
