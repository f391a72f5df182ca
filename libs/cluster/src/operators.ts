import { CATALOG, eventId, validateEmitted, type AnyEvent, type EmitData } from '@moon/events';
import { isTransientStoreError, OperatorStream } from '@moon/infra';
import type { ClusterConfig } from './config';
import { runTimeAt } from './connections';
import type { ClusterReader } from './reader';

export type OperatorCommand = Extract<AnyEvent, { type: 'operator.command' }>;

/** The store may be on its way from one server to another: wall ms between two attempts, and how many there are. */
const RETRY_MS = 500;
const ATTEMPTS = 20;

/**
 * Puts a command of an operator into the log of a deployment; the relay brings it to every shard. Repeated after an
 * unknown outcome it is the same command.
 *
 * @returns the command as it is in the log
 * @throws EventRefused for what no shard could read; Error when no process has ever worked, or the store stays away
 */
export async function askDeployment(
  { access, database, log }: Pick<ClusterReader, 'access' | 'database' | 'log'>,
  config: ClusterConfig,
  asked: Pick<EmitData<'operator.command'>, 'command' | 'arguments' | 'requestedBy'>,
): Promise<OperatorCommand> {
  const stream = new OperatorStream(access.app, database, { onError: () => undefined });
  try {
    const [settings] = (await log.query({ types: ['config.activated'], order: 'newest', limit: 1 })).rows;
    if (!settings)
      throw new Error(`No process has worked on database ${database} yet: start the deployment, then ask it.`);
    const [last] = (await log.query({ order: 'newest', limit: 1 })).rows;
    // Where run time is faster than wall time, only the processes and their log know it.
    const at = Math.max(runTimeAt(config, await stream.now()), (last?.event.occurredAt ?? -1) + 1);
    const command = commandOf(asked, at, settings.event.headers);
    // What is in the stream is published whatever it is.
    validateEmitted(command);
    await stored(() => stream.append(command));
    return command;
  } finally {
    await stream.close();
  }
}

function commandOf(
  asked: Pick<EmitData<'operator.command'>, 'command' | 'arguments' | 'requestedBy'>,
  at: number,
  headers: AnyEvent['headers'],
): OperatorCommand {
  const { command, requestedBy } = asked;
  const id = eventId('operator.command', requestedBy, command, JSON.stringify(asked.arguments), String(at));
  const { schemaVersion } = CATALOG['operator.command'];
  return {
    ...{ id, type: 'operator.command', schemaVersion, source: 'operator', key: 'system', occurredAt: at },
    ...{ correlationId: id, causationId: null, headers },
    data: { event_type: 'operator.command', ...asked, timestamp: at },
  };
}

async function stored(append: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await append();
      return;
    } catch (error) {
      if (attempt === ATTEMPTS || !isTransientStoreError(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
