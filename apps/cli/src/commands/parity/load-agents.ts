import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Handler } from '@moon/kernel';
import { UsageError } from '../../errors';

/**
 * Builds the agents of users' modules, as their threads do in a run.
 *
 * @throws UsageError that names the file and what is wrong with it
 */
export function loadAgents(paths: readonly string[], cwd: string): Handler[] {
  return paths.flatMap((given) => {
    const path = resolve(cwd, given);
    if (!existsSync(path)) throw new UsageError(`--agents ${given}: there is no file ${path}.`);
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- the path is only known at run time
    const loaded = require(path) as { createAgents?: (config: unknown) => Handler[] };
    if (typeof loaded.createAgents !== 'function')
      throw new UsageError(`--agents ${given}: ${path} exports no function createAgents(config).`);
    return loaded.createAgents({});
  });
}
