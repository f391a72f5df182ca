import { createHash, createHmac } from 'node:crypto';

/** Why something is kept from an agent's code, as a sentence that says what to do instead. */
function refusal(what: string, instead: string): Error {
  return new Error(`An agent has no ${what}: ${instead}`);
}

function refusing(what: string, instead: string): () => never {
  // A function that may be called with `new`, too: it stands in for classes as well.
  return function refuse(): never {
    throw refusal(what, instead);
  };
}

const CLOCK = 'its time is out.now, the time of the event in its hands.';
const DEADLINE = 'a deadline is scheduled by out.schedule and comes back as an event.';
const NO_IO = 'it does no I/O; what it needs comes as an event or in its configuration.';

/** `Date` for reckoning with given times; what would read the clock throws. */
const GuardedDate = new Proxy(Date, {
  construct(target, args: unknown[], newTarget: never): object {
    if (args.length === 0) throw refusal('clock', CLOCK);
    return Reflect.construct(target, args, newTarget === (GuardedDate as unknown) ? target : newTarget) as object;
  },
  apply: refusing('clock', CLOCK),
  get: (target, name): unknown => (name === 'now' ? refusing('clock', CLOCK) : Reflect.get(target, name)),
});

const GuardedMath = Object.freeze(
  Object.defineProperties({} as Record<string, unknown>, {
    ...Object.getOwnPropertyDescriptors(Math),
    random: {
      value: refusing('randomness', 'the same events must always give the same outputs; derive it from them.'),
    },
  }),
);

const timers = Object.fromEntries(
  [
    'setTimeout',
    'setInterval',
    'setImmediate',
    'clearTimeout',
    'clearInterval',
    'clearImmediate',
    'queueMicrotask',
  ].map((name) => [name, refusing(name, DEADLINE)]),
);

const network = Object.fromEntries(
  ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'BroadcastChannel', 'MessageChannel', 'Worker'].map(
    (name) => [name, refusing(name, NO_IO)],
  ),
);

/** What lies behind `globalThis` and `global`: nothing can be left there for another agent, or for another run. */
const globals = Object.freeze(
  Object.fromEntries(
    [
      ...[
        'Object',
        'Function',
        'Array',
        'Number',
        'Boolean',
        'String',
        'Symbol',
        'BigInt',
        'JSON',
        'RegExp',
        'Map',
        'Set',
      ],
      ...[
        'WeakMap',
        'WeakSet',
        'Error',
        'TypeError',
        'RangeError',
        'SyntaxError',
        'Promise',
        'Reflect',
        'Proxy',
        'Intl',
      ],
      ...['ArrayBuffer', 'DataView', 'Float32Array', 'Float64Array', 'Int8Array', 'Int16Array', 'Int32Array'],
      ...['Uint8Array', 'Uint16Array', 'Uint32Array', 'Uint8ClampedArray', 'BigInt64Array', 'BigUint64Array'],
      ...['parseInt', 'parseFloat', 'isNaN', 'isFinite', 'structuredClone', 'TextEncoder', 'TextDecoder'],
    ].map((name) => [name, (globalThis as unknown as Record<string, unknown>)[name]]),
  ),
);

/** Names that an agent's code sees instead of the real ones. */
export const GUARDED_GLOBALS: Readonly<Record<string, unknown>> = Object.freeze({
  ...timers,
  ...network,
  Date: GuardedDate,
  Math: GuardedMath,
  performance: Object.freeze({ now: refusing('clock', CLOCK) }),
  crypto: undefined,
  // Libraries ask for process.env.NODE_ENV when they load; there is nothing in it.
  process: Object.freeze({ env: Object.freeze({}) }),
  global: globals,
  globalThis: globals,
});

/** Parts of Node that are plain functions; everything else is kept from an agent. */
const ALLOWED = new Set(['assert', 'assert/strict', 'buffer', 'path', 'querystring', 'string_decoder', 'url', 'util']);

/**
 * A part of Node as an agent may have it.
 *
 * @throws Error for everything that reaches outside, reads a clock or draws random numbers
 */
export function guardedBuiltin(name: string): unknown {
  const bare = name.replace(/^node:/, '');
  // Hashing is the one thing of `crypto` that always gives the same.
  if (bare === 'crypto') return Object.freeze({ createHash, createHmac });
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the name is only known at run time
  if (ALLOWED.has(bare)) return require(`node:${bare}`) as unknown;
  throw refusal(`"${name}"`, NO_IO);
}
