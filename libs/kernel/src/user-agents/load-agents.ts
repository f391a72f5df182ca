import { assertPlainState, type Handler } from '@moon/domain';
import { isEventType } from '@moon/events';
import { loadUserModule, UserAgentError } from './module-loader';
import type { PlaceOf } from './places';

export interface UserAgentSpec {
  /** Absolute path of the module. */
  path: string;
  /** What the agent is called: it is handed to the module, and stands as `agent` in its signals. */
  name: string;
  config: unknown;
  /** Whether clock, files and network are kept from its code. */
  isConfined: boolean;
}

export interface LoadedAgents {
  handlers: Handler[];
  /** SHA-256 over all files of the module. */
  sha256: string;
  /** Where in the module's files an error was thrown. */
  placeOf: PlaceOf;
}

const CONTRACT = 'a module of agents exports createAgents(config, { name }), which returns a list of Handlers';

/**
 * Loads a module of agents and builds them. The contract is the same live and in backtests: the module exports
 * `createAgents(config, { name })`, which returns a list of `Handler`s of role `agent`.
 *
 * @throws UserAgentError in one sentence that names the path and what is expected
 */
export function loadAgents({ path, name, config, isConfined }: UserAgentSpec): LoadedAgents {
  const { exports, sha256, placeOf } = loadUserModule(path, { isConfined });
  const fail = (what: string): UserAgentError => new UserAgentError(`Agent ${path}: ${what}.`);
  const module = (exports ?? {}) as { createAgents?: unknown; default?: { createAgents?: unknown } };
  const create = module.createAgents ?? module.default?.createAgents;
  if (typeof create !== 'function') throw fail(`it exports no function createAgents; ${CONTRACT}`);
  let made: unknown;
  try {
    made = (create as (...args: unknown[]) => unknown)(config, { name });
  } catch (error) {
    const message = (error as { message?: string } | null)?.message ?? String(error);
    const place = placeOf(error);
    throw fail(`its createAgents throws: ${message.replace(/\.$/, '')}${place === null ? '' : ` (${place})`}`);
  }
  if (!Array.isArray(made) || made.length === 0) throw fail(`its createAgents returns no list of agents; ${CONTRACT}`);
  for (const handler of made as unknown[]) {
    const problem = shapeProblem(handler);
    if (problem !== null) throw fail(problem);
  }
  return { handlers: made as Handler[], sha256, placeOf };
}

/** What keeps an object from being an agent; null when nothing does. */
function shapeProblem(given: unknown): string | null {
  if (typeof given !== 'object' || given === null) return `one of its agents is ${String(given)}; ${CONTRACT}`;
  const agent = given as Partial<Handler>;
  if (typeof agent.name !== 'string' || !/^agent\/[\w./-]{1,80}$/.test(agent.name))
    return `an agent's "name" is ${JSON.stringify(agent.name)}; expected is text such as "agent/my-idea"`;
  const about = `${agent.name}: `;
  if (agent.role !== 'agent') return `${about}"role" is ${JSON.stringify(agent.role)}; expected is "agent"`;
  if (agent.partitionedBy !== 'token')
    return `${about}"partitionedBy" is ${JSON.stringify(agent.partitionedBy)}; expected is "token"`;
  for (const field of ['consumes', 'broadcast'] as const) {
    const types: unknown = agent[field];
    if (field === 'broadcast' && types === undefined) continue;
    if (!Array.isArray(types)) return `${about}"${field}" is no list; expected are event types, e.g. ["bar.closed"]`;
    const strange: unknown = types.find((type) => !isEventType(type));
    if (strange !== undefined)
      return `${about}"${field}" has ${JSON.stringify(strange)}, which is no event type; docs/events.md lists them`;
  }
  for (const field of ['initialState', 'handle'] as const) {
    if (typeof agent[field] !== 'function') return `${about}"${field}" is no function`;
  }
  if (agent.handle?.constructor.name === 'AsyncFunction')
    return `${about}"handle" is asynchronous; an agent answers at once, and waits by out.schedule`;
  if (agent.execute !== undefined || (agent.commands?.length ?? 0) > 0)
    return `${about}it takes commands; an agent emits opinions only`;
  try {
    assertPlainState(agent.initialState?.('BTC'), agent.name);
  } catch (error) {
    return `${about}its initialState is not usable: ${(error as { message?: string }).message ?? String(error)}`;
  }
  return null;
}
