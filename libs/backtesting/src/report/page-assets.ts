import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

/** What every HTML report carries besides its data: the page's own script and style, and the chart library. */
export interface PageAssets {
  style: string;
  /** The chart library, then the page, as one classic script. */
  script: string;
  /** Licence of the chart library, which asks to be passed on with every copy. */
  licence: string;
}

/** The page's code is compiled by the build, like everything else; a test runs from the sources and uses that build too. */
const COMPILED = existsSync(join(__dirname, 'page/main.js'))
  ? __dirname
  : join(__dirname, '../../../../dist/libs/backtesting/src/report');
const ENTRY = 'page/main';

let assets: PageAssets | null = null;

/**
 * Reads the files that an HTML report is made of; the only place of the report that reads anything.
 *
 * @throws when the page was not compiled yet: `npm run build` does it
 */
export function readPageAssets(): PageAssets {
  if (assets !== null) return assets;
  if (!existsSync(join(COMPILED, `${ENTRY}.js`)))
    throw new Error(`The script of the HTML report is missing in ${COMPILED}. Compile it with: npm run build`);
  const library = dirname(require.resolve('uplot/package.json'));
  const read = (path: string) => readFileSync(path, 'utf8');
  assets = {
    style: `${read(join(library, 'dist/uPlot.min.css'))}\n${read(join(COMPILED, 'page/style.css'))}`,
    script: `${read(join(library, 'dist/uPlot.iife.min.js'))}\n${link(ENTRY, (name) => read(join(COMPILED, `${name}.js`)))}`,
    licence: read(join(library, 'LICENSE')),
  };
  return assets;
}

/** Puts compiled modules that require each other into one script: each a function, called when it is first required. */
export function link(entry: string, read: (name: string) => string): string {
  const modules = new Map<string, string>();
  const visit = (name: string): void => {
    if (modules.has(name)) return;
    const source = read(name).replace(/^\/\/# sourceMappingURL=.*$/m, '');
    modules.set(name, '');
    const linked = source.replace(/\brequire\("(\.{1,2}\/[^"]+)"\)/g, (_, path: string) => {
      const wanted = posix.join(posix.dirname(name), path);
      visit(wanted);
      return `require(${JSON.stringify(wanted)})`;
    });
    modules.set(name, linked);
  };
  visit(entry);
  const table = [...modules].map(([name, source]) => `${JSON.stringify(name)}(require, exports) {\n${source}\n}`);
  return [
    '(() => {',
    `const modules = {\n${table.join(',\n')}\n};`,
    'const loaded = {};',
    'const load = (name) => {',
    '  if (!(name in loaded)) modules[name](load, (loaded[name] = {}));',
    '  return loaded[name];',
    '};',
    `load(${JSON.stringify(entry)});`,
    '})();',
  ].join('\n');
}
