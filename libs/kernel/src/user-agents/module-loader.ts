import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { compileFunction } from 'node:vm';
import { transformSync } from '@swc/core';
import * as domain from '@moon/domain';
import * as events from '@moon/events';
import { GUARDED_GLOBALS, guardedBuiltin } from './guarded-globals';
import { Places, type PlaceOf } from './places';

export interface LoadedModule {
  exports: unknown;
  /** SHA-256 over the contents of the module and of everything that it loaded from files. */
  sha256: string;
  /** Where in these files an error was thrown. */
  placeOf: PlaceOf;
}

/** An agent's module that cannot be used; the message names the file and says what is expected. */
export class UserAgentError extends Error {
  override readonly name = 'UserAgentError';
}

/** What an agent may take of the platform: contracts, indicators, money, the bed for its own tests. */
const PLATFORM: Readonly<Record<string, unknown>> = { '@moon/events': events, '@moon/domain': domain };
const CODE = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];
const TYPESCRIPT = /\.[mc]?ts$/;

/**
 * Loads a user's module by its path: CommonJS, ES modules and TypeScript alike, with what they import from files beside
 * them and from the node_modules above them. Each call loads afresh, so that two runs share no module and no variable of one.
 *
 * `isConfined` keeps clock, randomness, timers, environment, network and files from the code (see `guarded-globals`). That is a
 * guard against mistakes and plain attempts; code that means harm must run in a process without rights.
 *
 * @throws UserAgentError when the file is missing, does not compile, or throws while it is loaded
 */
export function loadUserModule(path: string, { isConfined }: { isConfined: boolean }): LoadedModule {
  const loader = new ModuleLoader(dirname(path), isConfined);
  if (!CODE.includes(extname(path))) {
    throw new UserAgentError(`Agent ${path}: a module of agents is a file that ends in ${CODE.join(', ')}.`);
  }
  if (!isFile(path)) {
    throw new UserAgentError(`Agent ${path}: there is no such file. Give the path of a module of agents.`);
  }
  try {
    const exports = loader.load(path);
    return { exports, sha256: loader.fingerprint(), placeOf: loader.places.placeOf };
  } catch (error) {
    if (error instanceof UserAgentError) throw error;
    throw new UserAgentError(`Agent ${path}: it throws while it is loaded: ${messageOf(error)}`, { cause: error });
  }
}

/** What an error says, also when it was made in another realm. */
function messageOf(error: unknown): string {
  const message = (error as { message?: unknown } | null)?.message;
  return typeof message === 'string' ? message : String(error);
}

class ModuleLoader {
  private readonly modules = new Map<string, { exports: unknown }>();
  readonly places: Places;
  private readonly digests = new Map<string, string>();

  constructor(
    private readonly root: string,
    private readonly isConfined: boolean,
  ) {
    this.places = new Places(root);
  }

  load(file: string): unknown {
    const known = this.modules.get(file);
    if (known) return known.exports;
    const module = { exports: {} as unknown };
    // Known before it is run, so that modules may import each other in a circle, as CommonJS has it.
    this.modules.set(file, module);
    const text = readFileSync(file, 'utf8');
    this.digests.set(relative(this.root, file).split(sep).join('/'), createHash('sha256').update(text).digest('hex'));
    if (extname(file) === '.json') module.exports = JSON.parse(text) as unknown;
    else this.run(file, text, module);
    return module.exports;
  }

  fingerprint(): string {
    const hash = createHash('sha256');
    for (const [name, digest] of [...this.digests].sort(([a], [b]) => (a < b ? -1 : 1)))
      hash.update(`${name}:${digest}\n`);
    return hash.digest('hex');
  }

  private run(file: string, text: string, module: { exports: unknown }): void {
    const given: Record<string, unknown> = {
      exports: module.exports,
      require: (id: string) => this.require(id, file),
      module,
      __filename: file,
      __dirname: dirname(file),
      ...(this.isConfined ? GUARDED_GLOBALS : {}),
    };
    const names = Object.keys(given);
    let body: (...values: unknown[]) => void;
    try {
      body = compileFunction(this.compiled(file, text), names, { filename: file }) as typeof body;
    } catch (error) {
      if (error instanceof UserAgentError) throw error;
      throw new UserAgentError(`Agent ${file}: it does not compile: ${firstLine(messageOf(error))}`);
    }
    body.apply(module.exports, Object.values(given));
  }

  private compiled(file: string, text: string): string {
    const { code, map } = asCommonJs(file, text);
    if (map !== undefined) this.places.add(file, map);
    return code;
  }

  private require(id: string, from: string): unknown {
    const own = PLATFORM[id];
    if (own !== undefined) return own;
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- the name is only known at run time
    if (isBuiltin(id)) return this.isConfined ? guardedBuiltin(id) : (require(id) as unknown);
    if (id.startsWith('.') || isAbsolute(id)) {
      const file = findFile(resolve(dirname(from), id));
      if (file !== null) return this.load(file);
      throw new UserAgentError(`Agent ${from}: it imports "${id}", and there is no such file.`);
    }
    const found = resolvePackage(id, from);
    return this.load(found);
  }
}

function resolvePackage(id: string, from: string): string {
  try {
    return createRequire(from).resolve(id);
  } catch (error) {
    const known = Object.keys(PLATFORM).join(' and ');
    throw new UserAgentError(
      `Agent ${from}: it imports "${id}", which is neither ${known} nor installed in a node_modules above it.`,
      { cause: error },
    );
  }
}

/** The file that an import means: as it is written, with an ending added, TypeScript behind a written `.js`, or an index. */
function findFile(path: string): string | null {
  const endings = [...CODE, '.json'];
  const stem = path.replace(/\.([mc]?)js$/, '.$1ts');
  const candidates = [
    path,
    ...(stem === path ? [] : [stem]),
    ...endings.map((ending) => path + ending),
    ...endings.map((ending) => join(path, `index${ending}`)),
  ];
  return candidates.find(isFile) ?? null;
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

/** The module as the body of a CommonJS function. A user's own files are strict, so that no write fails in silence. */
function asCommonJs(file: string, text: string): { code: string; map?: string } {
  const isTypescript = TYPESCRIPT.test(file);
  const isForeign = file.split(sep).includes('node_modules');
  try {
    const { code, map } = transformSync(text, {
      filename: basename(file),
      swcrc: false,
      configFile: false,
      isModule: 'unknown',
      sourceMaps: !isForeign,
      jsc: {
        parser: isTypescript ? { syntax: 'typescript', decorators: true } : { syntax: 'ecmascript' },
        target: 'es2022',
        keepClassNames: true,
      },
      module: { type: 'commonjs' },
    });
    return isForeign ? { code } : { code: `'use strict';${code}`, ...(map !== undefined && { map }) };
  } catch (error) {
    throw new UserAgentError(`Agent ${file}: it does not compile: ${syntaxError(messageOf(error))}`);
  }
}

/** The compiler's complaint and its place, without its drawing and its stack. */
function syntaxError(message: string): string {
  const what = firstLine(message);
  const [, line] = /,-\[.*?:(\d+):\d+\]/.exec(message) ?? [];
  const marked = line === undefined ? null : /^\s*(\d+) \|.*\n\s*:\s*\^/m.exec(message);
  return `${what} (line ${marked?.[1] ?? line ?? '?'}).`;
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').replace(/^x /, '').trim();
}
