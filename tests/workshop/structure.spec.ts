import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, readText, repositoryFiles, root } from './repository';

interface PackageJson {
  scripts: Record<string, string>;
  bin: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

const apps = ['api', 'agents', 'execution', 'recorder', 'standalone', 'cli'];
const libs = ['events', 'domain', 'kernel', 'backtesting', 'infra'];
const packageJson = () => readJson<PackageJson>('package.json');

describe('the house', () => {
  it('[CARD-2] has the folders and files that the design card names, each app and library with its real entry', () => {
    const files = new Set(repositoryFiles());
    // The command line is a program, not a module.
    const modules = apps
      .filter((app) => app !== 'cli')
      .map((app) => ({ app, path: `apps/${app}/src/${app}.module.ts` }));
    const expected = [
      'nest-cli.json',
      'docker-compose.yml',
      'package.json',
      'tsconfig.json',
      'apps/standalone/src/main.ts',
      'apps/cli/src/main.ts',
      ...modules.map(({ path }) => path),
      ...libs.map((lib) => `libs/${lib}/src/index.ts`),
    ];

    expect(expected.filter((path) => !files.has(path))).toEqual([]);
    const empty = modules.filter(({ path }) => !/^@Module\(\{\s*\w/m.test(readText(path))).map(({ app }) => app);
    expect(empty).toEqual([]);
    const indexes = libs.map((lib) => ({ lib, text: readText(`libs/${lib}/src/index.ts`) }));
    expect(indexes.filter(({ text }) => !/^export /m.test(text)).map(({ lib }) => lib)).toEqual([]);
  });

  it('is what nest-cli.json and the path aliases say', () => {
    const { projects } = readJson<{ projects: Record<string, { root: string }> }>('nest-cli.json');
    const { paths } = readJson<{ compilerOptions: { paths: Record<string, string[]> } }>(
      'tsconfig.json',
    ).compilerOptions;

    expect(Object.keys(projects).sort()).toEqual([...apps, ...libs].sort());
    const roots = Object.values(projects).map(({ root: folder }) => folder);
    const aliased = Object.values(paths).flat();
    expect([...roots, ...aliased].filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe('the README and CONTRIBUTING', () => {
  it('name only commands that exist', () => {
    const { scripts, bin } = packageJson();
    const builtIn = new Set(['ci', 'install', 'test', 'start']);
    const unknown = ['README.md', 'CONTRIBUTING.md', 'docs/ARCHITECTURE.md']
      .filter((path) => existsSync(join(root, path)))
      .flatMap((path) => {
        const text = readText(path);
        const npm = [...text.matchAll(/\bnpm (?:run )?(?:--?[\w-]+ )*([a-z][\w:-]*)/g)].map(([, name]) => name ?? '');
        const npx = [...text.matchAll(/\bnpx ([a-z][\w-]*)/g)].map(([, name]) => name ?? '');
        return [
          ...npm.filter((name) => !(name in scripts) && !builtIn.has(name)).map((name) => `${path}: npm run ${name}`),
          ...npx.filter((name) => !(name in bin) && !existsSync(join(root, 'node_modules/.bin', name))),
        ];
      });

    expect(unknown).toEqual([]);
  });

  it('begin with the two commands that a newcomer types', () => {
    const blocks = [...readText('README.md').matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text]) => text?.trim());
    expect(blocks.slice(0, 2)).toEqual(['npm ci && npm start', 'npm ci && npm test']);
  });
});

describe('the packages', () => {
  it('are pinned to exact versions', () => {
    const { dependencies, devDependencies } = packageJson();
    const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+/.test(version),
    );

    expect(loose).toEqual([]);
  });

  it('are locked with the binaries of every platform, and the lock file names no registry host', () => {
    const { packages } = readJson<{
      packages: Record<string, { resolved?: string; optionalDependencies?: Record<string, string> }>;
    }>('package-lock.json');
    /** As Node resolves it: beside the package, or in any folder above. */
    const isLocked = (from: string, name: string): boolean => {
      const parent = from.includes('/node_modules/') ? from.slice(0, from.lastIndexOf('/node_modules/')) : '';
      const found = `${from === '' ? '' : `${from}/`}node_modules/${name}` in packages;
      return found || (from !== '' && isLocked(parent, name));
    };
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !isLocked(path, name))
        .map((name) => `${path} needs ${name}`),
    );

    expect(Object.keys(packages).filter((path) => packages[path]?.resolved !== undefined)).toEqual([]);
    expect(missing).toEqual([]);
    expect(Object.keys(packages).filter((path) => /darwin-arm64|win32-x64/.test(path)).length).toBeGreaterThan(3);
  });
});

describe('every file', () => {
  it('names no path of a machine and no host of a registry', () => {
    // Composed, so that this file does not find itself.
    const forbidden = new RegExp(
      ['/wo' + 'rk/', '/ro' + 'ot/', '/ho' + 'me/\\w', 'registry\\.npm' + 'js', 'pypi\\.o' + 'rg'].join('|'),
    );
    const found = repositoryFiles()
      .filter((path) => !/\.(gz|png|ico|woff2?)$/.test(path) && path !== 'LICENSE')
      .flatMap((path) =>
        readText(path)
          .split('\n')
          .flatMap((line, index) =>
            forbidden.test(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 100)}`] : [],
          ),
      );

    expect(found).toEqual([]);
  });
});
