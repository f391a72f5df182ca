import { userInfo } from 'node:os';
import type { EventType, JsonObject } from '@moon/events';
import { OperatorInbox, type Run } from '@moon/infra';
import type { EventStore, LogRow } from '@moon/kernel';
import { CommandFailed } from '../errors';
import { span } from '../output/text';
import { pause, type Store } from '../store/store';

/** What an operator asks the platform for: `operator.command`. */
export interface OperatorAsk {
  command: 'halt' | 'lift' | 'replay_dead_letter';
  arguments: JsonObject;
}

export interface Answer {
  requestId: number;
  /** The `operator.command` that the request became; null while it waits. */
  eventId: string | null;
  /** What became of the request, as a sentence. */
  message: string;
}

/** How long a running platform may take to take a request. */
const TAKE_TIMEOUT_MS = 10_000;
const POLL_MS = 100;

/** @throws CommandFailed when nothing will ever work on this run again */
export function assertCanAsk(run: Run): void {
  if (run.mode === 'imported')
    throw new CommandFailed(`Run ${run.runId} is an imported log: no platform works on it. --run names another run.`);
  if (run.status === 'finished')
    throw new CommandFailed(`Run ${run.runId} has finished and is not started again. --run names another run.`);
}

/**
 * Puts a request into the run's inbox. A running platform takes it at once, and this waits for that; otherwise it is
 * taken when the run is started the next time.
 */
export async function askPlatform(
  { access, platformPid, dataDir }: Store,
  run: Run,
  ask: OperatorAsk,
): Promise<Answer> {
  assertCanAsk(run);
  const inbox = new OperatorInbox(access.app, run.database);
  try {
    const requestId = await inbox.submit({ ...ask, requestedBy: userName() });
    const stored = `The request is stored (number ${requestId}) and will be taken when run ${run.runId} is started the next time.`;
    if (platformPid === null)
      return { requestId, eventId: null, message: `No platform is running on ${dataDir}. ${stored}` };
    const eventId = await untilTaken(inbox, requestId);
    if (eventId !== null)
      return {
        requestId,
        eventId,
        message: `Taken by the running platform (process ${platformPid}) as event ${eventId}.`,
      };
    const late = `The running platform (process ${platformPid}) did not take it within ${span(TAKE_TIMEOUT_MS)}; it may be at work on another run than ${run.runId}.`;
    return { requestId, eventId: null, message: `${late} ${stored}` };
  } finally {
    await inbox.close();
  }
}

async function untilTaken(inbox: OperatorInbox, requestId: number): Promise<string | null> {
  const deadline = performance.now() + TAKE_TIMEOUT_MS;
  for (;;) {
    const eventId = await inbox.eventOf(requestId);
    if (eventId !== null || performance.now() > deadline) return eventId;
    await pause(POLL_MS);
  }
}

/** Waits for an event of this type that another one caused; null when none comes in time. */
export async function consequenceOf(
  events: Pick<EventStore, 'query'>,
  causationId: string,
  types: readonly EventType[],
  timeoutMs: number,
): Promise<LogRow | null> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { rows } = await events.query({ causationId, types, limit: 1 });
    if (rows[0] || performance.now() > deadline) return rows[0] ?? null;
    await pause(POLL_MS);
  }
}

/** Who is at the keyboard. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    // A container may run under a number that has no account.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SYSTEM_ERROR') throw error;
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
