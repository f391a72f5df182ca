import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { recordOutbox, testEvent } from '@moon/domain';
import { loadAgents, type LoadedAgents } from './load-agents';

const T0 = Date.UTC(2022, 0, 1);
const HANDLER = `{ name: 'agent/' + name, role: 'agent', partitionedBy: 'token', consumes: ['price.tick'], initialState: () => ({}), handle(event, state, out) { act(event, state, out); } }`;

describe('loading a user’s agents', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'moon-agents-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (name: string, code: string): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, code);
    return path;
  };
  const load = (name: string, code: string, config: unknown = {}): LoadedAgents =>
    loadAgents({ path: write(name, code), name: 'mine', config, isConfined: true });
  /** Handles a tick with `code` as the agent's handler, and tells what the state holds then. */
  const act = (code: string, isConfined = true): unknown => {
    const path = write(
      'act.js',
      `exports.createAgents = (config, { name }) => [${HANDLER}];\nfunction act(event, state, out) { state.found = (${code}); }`,
    );
    const [agent] = loadAgents({ path, name: 'mine', config: {}, isConfined }).handlers;
    const state = agent?.initialState('BTC') as { found?: unknown };
    const tick = { token: 'BTC', price: 1, volume_1m: 0, timestamp: T0, instrument: 'BTC.X', kind: 'last' } as const;
    agent?.handle(testEvent('price.tick', T0, tick), state, recordOutbox(T0, 'BTC'));
    return state.found;
  };

  it.each([
    ['a.js', `exports.createAgents = (config, { name }) => [${HANDLER}]; const act = () => {};`],
    ['a.cjs', `module.exports = { createAgents: (config, { name }) => [${HANDLER}] }; const act = () => {};`],
    ['a.mjs', `export const createAgents = (config, { name }) => [${HANDLER}]; const act = () => {};`],
    ['esm.js', `export default { createAgents: (config, { name }) => [${HANDLER}] }; const act = () => {};`],
    [
      'a.ts',
      `import type { Handler, Outbox } from '@moon/domain';
       import { num15 } from '@moon/domain';
       interface State { count?: number }
       export function createAgents(config: { a?: number }, { name }: { name: string }): Handler<State>[] { return [${HANDLER}]; }
       function act(event: unknown, state: State, out: Outbox): void { state.count = num15(out.now); }`,
    ],
  ])('[US3-1] takes %s', (name, code) => {
    const { handlers, sha256 } = load(name, code);
    expect(handlers.map((handler) => handler.name)).toEqual(['agent/mine']);
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('takes what a module imports: files beside it, JSON, and packages above it; its hash covers them', () => {
    write('lib/limit.ts', 'export const LIMIT: number = 7;');
    write('node_modules/lucky/package.json', '{ "name": "lucky", "main": "main.js" }');
    write('node_modules/lucky/main.js', 'module.exports = 3;');
    write('data.json', '{ "start": 1 }');
    const code = `import { LIMIT } from './lib/limit.js'; import lucky from 'lucky'; import data from './data.json';
      export const createAgents = (config, { name }) => [${HANDLER.replace("'agent/' + name", "'agent/' + [LIMIT, lucky, data.start].join('-')")}]; const act = () => {};`;
    const before = load('a.ts', code);
    expect(before.handlers[0]?.name).toBe('agent/7-3-1');
    write('lib/limit.ts', 'export const LIMIT: number = 8;');
    expect(load('a.ts', code).sha256).not.toBe(before.sha256);
  });

  it('loads afresh each time: nothing that one run left in a module is there in the next', () => {
    const code = `let runs = 0; exports.createAgents = () => { runs += 1; const name = String(runs); return [${HANDLER}]; }; const act = () => {};`;
    expect(load('a.js', code).handlers[0]?.name).toBe('agent/1');
    expect(load('a.js', code).handlers[0]?.name).toBe('agent/1');
  });

  describe('says in one sentence what is wrong and what is expected', () => {
    const agent = (change: string): string =>
      `exports.createAgents = (config, { name }) => [Object.assign(${HANDLER}, ${change})]; const act = () => {};`;
    it.each([
      [
        'an export that is missing',
        'exports.agents = [];',
        'it exports no function createAgents; a module of agents exports createAgents(config, { name }), which returns a list of Handlers.',
      ],
      ['no list', 'exports.createAgents = () => ({});', 'its createAgents returns no list of agents'],
      ['an agent that is none', 'exports.createAgents = () => [null];', 'one of its agents is null'],
      ['a name', agent('{ name: "mine" }'), `an agent's "name" is "mine"; expected is text such as "agent/my-idea".`],
      ['a role', agent('{ role: "saga" }'), 'agent/mine: "role" is "saga"; expected is "agent".'],
      [
        'keys',
        agent('{ partitionedBy: "portfolio" }'),
        'agent/mine: "partitionedBy" is "portfolio"; expected is "token".',
      ],
      [
        'an event type',
        agent('{ consumes: ["bar.close"] }'),
        '"consumes" has "bar.close", which is no event type; docs/events.md lists them.',
      ],
      ['a handle', agent('{ handle: 1 }'), 'agent/mine: "handle" is no function.'],
      ['an asynchronous handle', agent('{ handle: async () => {} }'), 'agent/mine: "handle" is asynchronous'],
      [
        'commands',
        agent('{ commands: ["PlaceOrder"] }'),
        'agent/mine: it takes commands; an agent emits opinions only.',
      ],
      [
        'a state that is no JSON',
        agent('{ initialState: () => ({ seen: new Set() }) }'),
        'State of agent/mine is not plain JSON at $.seen: a Set.',
      ],
      [
        'a createAgents that throws',
        'exports.createAgents = () => { throw new Error("fast must be below slow"); };',
        'its createAgents throws: fast must be below slow (bad.js:1).',
      ],
      ['a module that throws', 'throw new Error("no luck");', 'it throws while it is loaded: no luck'],
      [
        'a package that is not there',
        'require("left-pad");',
        'it imports "left-pad", which is neither @moon/events and @moon/domain nor installed',
      ],
      ['a file that is not there', 'require("./helper");', 'it imports "./helper", and there is no such file.'],
    ])('%s', (_what, code, message) => {
      expect(() => load('bad.js', code)).toThrow(message);
      expect(() => load('bad.js', code)).toThrow(new RegExp(`^Agent ${folder}/bad\\.js: `));
    });

    it('a syntax error, with its line', () => {
      expect(() => load('bad.ts', 'export const a = 1;\nexport const b = {\n  c: 1,,\n};')).toThrow(
        /^Agent [^:]*bad\.ts: it does not compile: Unexpected token `,`.* \(line 3\)\.$/,
      );
    });

    it('a file that is missing, and one that is no module', () => {
      const load = (path: string) => () => loadAgents({ path, name: 'mine', config: {}, isConfined: true });
      expect(load(join(folder, 'absent.js'))).toThrow('absent.js: there is no such file. Give the path of a module');
      expect(load(folder)).toThrow('a module of agents is a file that ends in .ts, .mts, .cts, .js, .mjs, .cjs.');
      expect(load(write('a.py', ''))).toThrow('a module of agents is a file that ends in');
    });
  });

  describe('[US3-2] keeps from its code', () => {
    it.each([
      'fs',
      'node:fs',
      'node:fs/promises',
      'net',
      'node:http',
      'https',
      'child_process',
      'worker_threads',
      'os',
      'dns',
      'module',
      'vm',
      'perf_hooks',
      'timers',
    ])('the part of Node "%s"', (name) => {
      expect(() => act(`require('${name}')`)).toThrow(`An agent has no "${name}": it does no I/O`);
    });

    it.each([
      ['Date.now()', 'An agent has no clock: its time is out.now'],
      ['new Date()', 'An agent has no clock'],
      ['Date()', 'An agent has no clock'],
      ['performance.now()', 'An agent has no clock'],
      ['Math.random()', 'An agent has no randomness'],
      ['setTimeout(() => {}, 1)', 'An agent has no setTimeout: a deadline is scheduled by out.schedule'],
      ['setImmediate(() => {})', 'An agent has no setImmediate'],
      ['fetch("http://127.0.0.1")', 'An agent has no fetch'],
      ['new WebSocket("ws://127.0.0.1")', 'An agent has no WebSocket'],
      ['(globalThis.left = 1)', 'Cannot add property left'],
      ['(process.env.LEFT = "1")', 'Cannot add property LEFT'],
      ['process.exit(1)', 'process.exit is not a function'],
    ])('%s', (code, message) => {
      expect(() => act(code)).toThrow(message);
    });

    it('the environment, and an import that comes later', async () => {
      await expect(act('import("node:fs")')).rejects.toThrow('A dynamic import callback was not specified');
      expect(act('process.env.PATH')).toBeUndefined();
      expect(act('Object.keys(globalThis).includes("process")')).toBe(false);
    });

    it('nothing that gives the same each time', () => {
      expect(act('[new Date(0).toISOString(), Date.UTC(2022, 0, 1), Math.max(1, 2)].join()')).toBe(
        `1970-01-01T00:00:00.000Z,${T0},2`,
      );
      expect(act(`require('node:crypto').createHash('sha256').update('a').digest('hex').length`)).toBe(64);
      expect(act(`require('node:util').format('%d', 1)`)).toBe('1');
    });

    it('nothing of a live agent, which has a thread of its own', () => {
      expect(act('typeof require("node:fs").readFileSync + typeof setTimeout', false)).toBe('functionfunction');
    });
  });
});
