import { join } from 'node:path';
import type { PlatformConfig } from '@moon/domain';
import type { AgentModule } from '../runtime/threads/protocol';

/** The module that a worker thread loads the built-in agents from; it exists in the compiled tree. */
const MODULE = join(__dirname, '..', '..', '..', 'domain', 'src', 'platform', 'index.js');

/** The built-in agents, all in one thread (rule 31). */
export function builtInAgents({ agents, switchedOff }: Pick<PlatformConfig, 'agents' | 'switchedOff'>): AgentModule {
  return { path: MODULE, config: { agents, switchedOff } };
}
