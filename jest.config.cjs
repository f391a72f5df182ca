// The suites are chosen by MOON_SUITE (scripts/test.mjs sets it): unit (default), data, long, services, cluster.
// They are told apart by the end of the file's name, so a test lives beside what it tests.
const { compilerOptions } = require('./tsconfig.json');
const { jsc } = JSON.parse(require('node:fs').readFileSync(require('node:path').join(__dirname, '.swcrc'), 'utf8'));

const suite = process.env.MOON_SUITE || 'unit';
const endings = {
  unit: 'spec.ts',
  data: 'data-spec.ts',
  long: 'long-spec.ts',
  services: 'services-spec.ts',
  cluster: 'cluster-spec.ts',
};
if (!(suite in endings))
  throw new Error(`MOON_SUITE is "${suite}"; it must be one of ${Object.keys(endings).join(', ')}.`);

/** These packages ship ES modules only; jest runs CommonJS, so swc turns them over. */
const esmOnly = ['trading-signals', '@nktkas', '@noble', 'mercurius', 'quick-lru'];

const aliases = Object.fromEntries(
  Object.entries(compilerOptions.paths).map(([alias, [file]]) => [`^${alias}$`, file.replace('./', '<rootDir>/')]),
);

/** @type {import('jest').Config} */
module.exports = {
  rootDir: __dirname,
  roots: ['apps', 'libs', 'tests', 'bench']
    .filter((folder) => require('node:fs').existsSync(`${__dirname}/${folder}`))
    .map((folder) => `<rootDir>/${folder}`),
  testEnvironment: 'node',
  testMatch: [`**/*.${endings[suite]}`],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '<rootDir>/apps/dashboard/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.moon/'],
  transform: {
    '^.+\\.(t|j|mj)s$': [
      '@swc/jest',
      { swcrc: false, jsc: { ...jsc, parser: { ...jsc.parser } }, sourceMaps: 'inline' },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esmOnly.join('|')})/)`],
  moduleNameMapper: aliases,
  setupFiles: ['reflect-metadata'],
  // One stack of servers at a time: each takes 1.5 GB, and what fails under the load of another would be no finding.
  ...(['services', 'cluster', 'long'].includes(suite) ? { maxWorkers: 1 } : {}),
  testTimeout: { unit: 20_000, data: 300_000, long: 3_600_000, services: 300_000, cluster: 900_000 }[suite],
  reporters: ['default', ['<rootDir>/scripts/jest-reporter.cjs', { suite }]],
};
