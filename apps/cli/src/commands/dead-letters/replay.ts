import { CommandFailed } from '../../errors';
import { askPlatform, type Answer } from '../../operator/ask-platform';
import { shortId } from '../../output/text';
import type { RunLog } from '../../store/run-log';
import { pause, type Store } from '../../store/store';
import { readLetters, type Letter } from './letters';

/** How long a handler may take until its second failure would show, or a key would be free. */
const OUTCOME_TIMEOUT_MS = 3_000;
const POLL_MS = 100;

/**
 * Asks for a dead letter to be delivered again, or a parked key to go on, and watches what comes of it.
 * @throws CommandFailed when the platform does not take it, or the handler fails again
 */
export async function replayLetter(store: Store, log: RunLog, letter: Letter): Promise<Answer> {
  const { kind, handler, handlerKey, eventId } = letter;
  const answer = await askPlatform(store, log.run, {
    command: 'replay_dead_letter',
    arguments: { handler, handlerKey, eventId, ...(kind === 'parked' && { parked: true }) },
  });
  if (answer.eventId === null) {
    if (store.platformPid !== null) throw new CommandFailed(answer.message);
    return answer;
  }
  const outcome = await outcomeOf(log, letter);
  if (outcome === 'failed') {
    throw new CommandFailed(
      `${answer.message} ${handler}/${handlerKey} failed at it again: see "moon dead-letters show ${shortId(eventId)}".`,
    );
  }
  if (outcome === 'waiting') {
    throw new CommandFailed(
      `${answer.message} It is still listed after ${OUTCOME_TIMEOUT_MS / 1_000} s: see "moon dead-letters list".`,
    );
  }
  const done = kind === 'parked' ? 'goes on' : `was given ${shortId(eventId)} again and did not fail`;
  return { ...answer, message: `${handler}/${handlerKey} ${done}. ${answer.message}` };
}

/** `handled` when the letter is gone and stays away for the time that a failure takes to show. */
async function outcomeOf(log: RunLog, letter: Letter): Promise<'handled' | 'failed' | 'waiting'> {
  const deadline = performance.now() + OUTCOME_TIMEOUT_MS;
  let gone = false;
  for (;;) {
    const again = (await readLetters(log)).find(
      ({ kind, handler, handlerKey, eventId }) =>
        kind === letter.kind &&
        handler === letter.handler &&
        handlerKey === letter.handlerKey &&
        eventId === letter.eventId,
    );
    if (again && (gone || again.skipSeq !== letter.skipSeq)) return 'failed';
    gone ||= !again;
    if (performance.now() > deadline) return gone ? 'handled' : 'waiting';
    await pause(POLL_MS);
  }
}
