import { hostname } from 'node:os';
import { askDeployment, type OperatorCommand } from '@moon/cluster';
import type { EventType } from '@moon/events';
import type { LogRow } from '@moon/kernel';
import type { ClusterView } from '../cluster/read-log';
import { CommandFailed, UsageError } from '../errors';
import { plural, span } from '../output/text';
import { pause } from '../store/store';
import { userName, type OperatorAsk } from './ask-platform';

/** How long a deployment may take to carry a command out, and what ends the wait before. */
export interface Patience {
  waitMs: number;
  signal: AbortSignal;
}

/** By what a command's effect is known. */
export interface ExpectedEffect {
  type: EventType;
  /** Streams that it is still missing in, given what the command has caused so far. */
  missing: (caused: readonly LogRow[]) => Promise<readonly string[]>;
}

const POLL_MS = 100;
const DEFAULT_WAIT_S = 15;
const LONGEST_WAIT_S = 3_600;
/** Answers that are looked at; there is one a shard. */
const MOST_ANSWERS = 1_000;

/** @throws UsageError */
export function patienceOf(wait: string | undefined, signal: AbortSignal): Patience {
  const seconds = wait === undefined ? DEFAULT_WAIT_S : Number(wait);
  if (!(seconds > 0 && seconds <= LONGEST_WAIT_S))
    throw new UsageError(`--wait ${wait}: expected seconds, more than 0 and at most ${LONGEST_WAIT_S}.`);
  return { waitMs: seconds * 1_000, signal };
}

/** Puts the request into the deployment's log, in the name of whoever is at the keyboard. */
export function askCluster({ reader, config }: ClusterView, ask: OperatorAsk): Promise<OperatorCommand> {
  return askDeployment(reader, config, { ...ask, requestedBy: `${userName()}@${hostname()}` });
}

/**
 * Waits until the command's effect is in the log.
 * @throws CommandFailed when the deployment refuses it, or does not carry it out in time: it stays asked for then
 */
export async function untilDone(
  { events }: Pick<ClusterView, 'events'>,
  command: OperatorCommand,
  { type, missing }: ExpectedEffect,
  { waitMs, signal }: Patience,
): Promise<void> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const query = { causationId: command.id, types: [type, 'agent.error'], limit: MOST_ANSWERS };
    const { rows } = await events.query(query);
    const refusal = rows.map(({ event }) => event).find((event) => event.type === 'agent.error');
    if (refusal?.type === 'agent.error')
      throw new CommandFailed(`The deployment refused event ${command.id}: ${refusal.data.error}`);
    const streams = await missing(rows);
    if (streams.length === 0) return;
    if (performance.now() > deadline || signal.aborted) {
      const why = signal.aborted ? 'Interrupted' : `Not done within ${span(waitMs)}`;
      throw new CommandFailed(
        `${why}: no ${type} in ${plural(streams.length, 'stream')} (${streams.join(', ')}) yet. The request is stored as event ` +
          `${command.id} and is carried out as soon as relay and shards are at work: see "moon doctor" and "moon trace ${command.id}".`,
      );
    }
    await pause(POLL_MS);
  }
}
