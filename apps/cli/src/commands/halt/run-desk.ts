import { CommandFailed } from '../../errors';
import { askPlatform, consequenceOf } from '../../operator/ask-platform';
import type { RunLog } from '../../store/run-log';
import type { Store } from '../../store/store';
import { haltsInForce } from '../../store/halts-in-force';
import { doneSentence, HALT_EFFECT, haltArguments, OPERATOR, type HaltDesk } from './desk';

/** How long the consequence of a taken request may take to be stored. */
const EFFECT_TIMEOUT_MS = 3_000;

/** Asks the process that works on a run, or the next one that will. */
export function runDesk(store: Store, { run, events }: RunLog): HaltDesk {
  return {
    name: run.runId,
    events,
    halts: (key) => haltsInForce(events, key),
    stands: async (key, reason) =>
      (await haltsInForce(events, key)).some((halt) => halt.source === OPERATOR && halt.reason === reason),
    ask: async (command, key, reason) => {
      const answer = await askPlatform(store, run, { command, arguments: haltArguments(key, reason) });
      if (answer.eventId === null) {
        if (store.platformPid !== null) throw new CommandFailed(answer.message);
        return { ...answer, reason };
      }
      const type = HALT_EFFECT[command];
      if (!(await consequenceOf(events, answer.eventId, [type], EFFECT_TIMEOUT_MS)))
        throw new CommandFailed(
          `${answer.message} No ${type} followed within ${EFFECT_TIMEOUT_MS / 1_000} s: see "moon trace ${answer.eventId}".`,
        );
      return { ...answer, reason, message: `${doneSentence(command, key, reason)} ${answer.message}` };
    },
  };
}
