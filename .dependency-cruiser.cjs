// The import table of the architecture (CONTRIBUTING.md shows it), as rules that fail. `npm run boundaries`.
// Type-only imports count: a rule that depends on another part's types depends on that part.

const spec = '[.](spec|data-spec|long-spec|services-spec|cluster-spec)[.]ts$';
/** Helpers that only tests load: a lib's testing folder, its contract suites, its fixtures. */
const testOnly = '(/testing/|/testing[.]ts$|[.]contract[.]ts$|/fixtures/)';

/** A library may import itself and the libraries named; specs may also use what drives them. */
const mayImport = (lib, allowed) => ({
  name: `${lib}-imports`,
  comment: `libs/${lib} may import ${allowed.length > 0 ? allowed.join(', ') : 'nothing of ours'}.`,
  severity: 'error',
  from: { path: `^libs/${lib}/`, pathNot: ['domain', 'events'].includes(lib) ? undefined : spec },
  to: { path: '^(libs|apps|bench|tests)/', pathNot: `^libs/(${[lib, ...allowed].join('|')})/` },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    mayImport('events', []),
    mayImport('domain', ['events']),
    mayImport('kernel', ['domain', 'events']),
    mayImport('backtesting', ['kernel', 'domain', 'events']),
    mayImport('infra', ['kernel', 'events']),
    mayImport('cluster', ['infra', 'backtesting', 'kernel', 'domain', 'events']),
    {
      name: 'app-imports-app',
      comment: 'An app never imports another app: they talk through events.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: '^apps/(standalone|cli)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'app-internals',
      comment: "standalone and cli may import other apps' *.module.ts, and nothing else of them.",
      severity: 'error',
      from: { path: '^apps/(standalone|cli)/', pathNot: spec },
      to: { path: '^apps/', pathNot: ['^apps/$1/', '^apps/[^/]+/src/[^/]+[.]module[.]ts$'] },
    },
    {
      name: 'lib-internals',
      comment: "Only a library's index.ts is public. Tests may also use its testing helpers and contract suites.",
      severity: 'error',
      from: { path: '^(apps|libs/([^/]+))/', pathNot: `${spec}|${testOnly}` },
      to: { path: '^libs/[^/]+/', pathNot: ['^libs/[^/]+/src/index[.]ts$', '^libs/$2/'] },
    },
    {
      name: 'lib-internals-from-tests',
      comment: "A test, or a benchmark, uses a foreign library's index.ts, or what it keeps for tests.",
      severity: 'error',
      from: { path: `^(?:(apps|libs/([^/]+))/.*(?:${spec}|${testOnly})|tests/|bench/)` },
      to: { path: '^libs/[^/]+/', pathNot: ['^libs/[^/]+/src/index[.]ts$', '^libs/$2/', testOnly] },
    },
    {
      name: 'agents-know-events-only',
      comment: 'SYS-6: agents communicate through events alone, so no agent’s folder imports another’s.',
      severity: 'error',
      from: { path: '^libs/domain/src/agents/([^/]+)/' },
      to: { path: '^libs/domain/src/agents/[^/]+/', pathNot: '^libs/domain/src/agents/$1/' },
    },
    {
      name: 'agents-reach-no-agent',
      comment: 'SYS-6, by a detour: nothing that an agent loads may load another agent.',
      severity: 'error',
      from: { path: '^libs/domain/src/agents/([^/]+)/', pathNot: spec },
      to: { path: '^libs/domain/src/agents/[^/]+/', pathNot: '^libs/domain/src/agents/$1/', reachable: true },
    },
    {
      name: 'no-tests-in-production',
      comment: 'What only tests need is not used by what runs; an index.ts may hand it on to other parts’ tests.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: `${spec}|${testOnly}|/index[.]ts$` },
      to: { path: `${spec}|${testOnly}|^tests/` },
    },
    {
      name: 'rig-for-benches-only',
      comment:
        'The rig of the fault tests runs the platform as processes, which benches measure, too, and its ledger check is held against planted bugs; nothing else uses it.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: spec },
      to: { path: '^tests/faults/' },
    },
    {
      name: 'no-bench-in-production',
      severity: 'error',
      from: { path: '^(apps|libs)/' },
      to: { path: '^bench/' },
    },
    {
      name: 'no-io-in-rules',
      comment: 'Contracts, rules and the matching engine are plain functions: hashing is all they may take from Node.',
      severity: 'error',
      from: { path: '^libs/(events|domain|backtesting/src/venue)/', pathNot: `${spec}|${testOnly}` },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'no-framework-in-rules',
      comment: 'Contracts and rules know no framework and no server.',
      severity: 'error',
      from: { path: '^libs/(events|domain|backtesting/src/venue)/', pathNot: `${spec}|${testOnly}` },
      to: { path: 'node_modules/(@nestjs|typeorm|pg|kafkajs|ioredis|pino|nestjs-pino|prom-client|ws|rxjs)/' },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-unresolvable',
      comment: 'An import that nothing answers.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'not-to-dev-dependencies',
      comment: 'What runs in production must be a dependency, not a devDependency.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: `${spec}|${testOnly}` },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'not-to-unlisted',
      comment: 'A package that is used must be named in package.json.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage)/|^apps/dashboard/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    moduleSystems: ['cjs', 'es6'],
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['require', 'node', 'default', 'types'],
      mainFields: ['main', 'types'],
    },
  },
};
