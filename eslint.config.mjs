import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import { builtinRules } from 'eslint/use-at-your-own-risk';
import tseslint from 'typescript-eslint';

/** More than five parameters fail; four is the aim. A constructor is exempt: Nest injects what it names. */
const maxParams = {
  meta: { type: 'suggestion', schema: [] },
  create(context) {
    const check = (node) => {
      const isConstructor = node.parent?.type === 'MethodDefinition' && node.parent.kind === 'constructor';
      const count = node.params.filter((param) => param.name !== 'this').length;
      if (isConstructor || count <= 5) return;
      context.report({ node, message: `${count} parameters; at most 5: put what belongs together into one object.` });
    };
    return { FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check };
  },
};

// The same rule twice: `max-lines` fails, `workshop/max-lines-soft` only warns, earlier.
const workshop = { rules: { 'max-lines-soft': builtinRules.get('max-lines'), 'max-params': maxParams } };

const tests = [
  '**/*.spec.ts',
  '**/*.data-spec.ts',
  '**/*.long-spec.ts',
  '**/*.services-spec.ts',
  '**/*.cluster-spec.ts',
  'tests/**/*.ts',
];
const testHelpers = ['**/testing/**/*.ts', '**/testing.ts', '**/*.contract.ts', '**/fixtures/**/*.ts'];

/** What must be a plain function of events: contracts, rules, the matching engine, and handlers wherever they live. */
const pure = [
  'libs/events/src/**/*.ts',
  'libs/domain/src/**/*.ts',
  'libs/backtesting/src/venue/**/*.ts',
  '**/*.handler.ts',
  '**/*.saga.ts',
  '**/*.projection.ts',
];

const impureGlobals = {
  process: 'Configuration is an input: it comes as an event or an argument.',
  console: 'Pure code has no output but its result.',
  performance: 'Time is event.occurredAt.',
  crypto: 'Randomness is forbidden here; ids are derived from their cause.',
  fetch: 'All I/O is an adapter that turns a request event into a result event.',
  globalThis: 'Name what you need; the global object is a way round the purity rules.',
  Promise: 'Handlers and rules are synchronous.',
  queueMicrotask: 'Handlers and rules are synchronous.',
  WeakRef: 'Its result depends on the garbage collector.',
  FinalizationRegistry: 'Its calls depend on the garbage collector.',
  ...Object.fromEntries(
    ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'].map((name) => [
      name,
      'A deadline is an event: schedule it through the Outbox.',
    ]),
  ),
};

const purity = {
  'no-restricted-globals': ['error', ...Object.entries(impureGlobals).map(([name, message]) => ({ name, message }))],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'Time is event.occurredAt.' },
    { object: 'Math', property: 'random', message: 'Randomness is an input, or derived from a seed.' },
    ...['randomUUID', 'randomBytes', 'randomInt', 'getRandomValues'].map((property) => ({
      property,
      message: 'Ids are derived from their cause; randomness is an input.',
    })),
    ...['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString', 'localeCompare'].map((property) => ({
      property,
      message: 'Its result depends on the machine it runs on.',
    })),
    ...['getFullYear', 'getMonth', 'getDate', 'getDay', 'getHours', 'getMinutes', 'getTimezoneOffset'].map(
      (property) => ({ property, message: 'Days are UTC: use the getUTC… form.' }),
    ),
  ],
  'no-restricted-syntax': [
    'error',
    { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time is event.occurredAt.' },
    { selector: "CallExpression[callee.name='Date']", message: 'Time is event.occurredAt.' },
    { selector: ':function[async=true]', message: 'Handlers and rules are synchronous.' },
    { selector: 'AwaitExpression', message: 'Handlers and rules are synchronous.' },
    { selector: 'ForOfStatement[await=true]', message: 'Handlers and rules are synchronous.' },
    { selector: "TSTypeReference[typeName.name='Promise']", message: 'Handlers and rules are synchronous.' },
    { selector: 'ImportExpression', message: 'A dynamic import is I/O.' },
  ],
  '@typescript-eslint/no-restricted-imports': [
    'error',
    {
      paths: [
        {
          name: 'node:crypto',
          allowImportNames: ['createHash', 'hash'],
          message: 'Only hashing is pure; ids are derived, randomness is an input.',
        },
        ...['crypto', 'node:process', 'process', 'node:timers', 'timers', 'node:perf_hooks', 'perf_hooks'].map(
          (name) => ({
            name,
            message: 'Time, randomness and configuration are inputs.',
          }),
        ),
      ],
      patterns: [
        {
          regex:
            '^(node:)?(fs|http|https|http2|net|tls|dgram|dns|os|child_process|worker_threads|cluster|timers|stream)(/|$)',
          message: 'All I/O is an adapter at the edge.',
        },
        {
          regex: '^(@nestjs/|typeorm$|pg$|kafkajs$|ioredis$|pino$|ws$|rxjs)',
          message: 'Rules know no framework and no server.',
        },
      ],
    },
  ],
};

/** A focused test hides the others, a skipped one hides itself. */
const noFocusedTests = {
  'no-restricted-properties': [
    'error',
    ...['it', 'test', 'describe'].flatMap((object) =>
      ['only', 'skip', 'todo', 'failing'].map((property) => ({
        object,
        property,
        message: `${object}.${property} does not go in: every test runs, everywhere.`,
      })),
    ),
  ],
  'no-restricted-globals': [
    'error',
    ...['fit', 'fdescribe', 'xit', 'xtest', 'xdescribe'].map((name) => ({
      name,
      message: 'Every test runs, everywhere.',
    })),
  ],
};

export default defineConfig(
  { ignores: ['node_modules/', 'dist/', '.moon/', 'coverage/', 'apps/dashboard/', '**/fixtures/**/*.{js,json}'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.{js,cjs,mjs}'],
    languageOptions: {
      ecmaVersion: 'latest',
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'performance',
          'setTimeout',
          'clearTimeout',
          'URL',
          'Buffer',
          'fetch',
          'AbortSignal',
        ].map((name) => [name, 'readonly']),
      ),
    },
    rules: { 'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }] },
  },
  {
    files: ['**/*.{js,cjs}'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { require: 'readonly', module: 'writable', __dirname: 'readonly', __filename: 'readonly' },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommended],
    plugins: { workshop },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-var': 'error',
      'prefer-const': 'error',
      'no-console': 'error',
      // Refusing control characters is what validation does.
      'no-control-regex': 'off',
      'no-empty': ['error', { allowEmptyCatch: false }],
      'workshop/max-params': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Nest asks for injected classes at run time: an automatic `import type` would break it, so none is asked for.
      '@typescript-eslint/consistent-type-imports': 'off',
    },
  },
  {
    files: ['{apps,libs,bench}/**/*.ts'],
    ignores: tests,
    rules: {
      'max-lines': ['error', { max: 400 }],
      'workshop/max-lines-soft': ['warn', { max: 350 }],
    },
  },
  {
    // Standard output is the command line's and the benchmarks' business; everything else logs.
    files: ['apps/cli/**/*.ts', 'bench/**/*.ts', 'tests/**/*.ts', 'apps/*/src/main.ts'],
    rules: { 'no-console': 'off' },
  },
  // No comment may switch these off; tests/workshop/purity.spec.ts sees to that.
  { files: pure, ignores: [...tests, ...testHelpers], rules: purity },
  {
    files: [...tests, ...testHelpers],
    rules: {
      ...noFocusedTests,
      'no-console': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
