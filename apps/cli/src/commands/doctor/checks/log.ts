import type { StoreInspection } from '@moon/infra';
import type { EventStore } from '@moon/kernel';
import { count, plural, shortId } from '../../../output/text';
import { ok, wrong, type Finding } from '../finding';

/** A log of at most so many events is looked through whole; of a longer one the newest are. */
const LOOKED_THROUGH = 100_000;
/** Causes before what was looked through that are asked for. */
const ASKED_CAUSES = 500;
/** Events are kept from here on (rule: epoch ms in [2010, 2100)). */
const FIRST_MS = Date.UTC(2010, 0, 1);
const LAST_MS = Date.UTC(2100, 0, 1);

const MEND =
  'Something other than the platform has written to the database, or a disk has failed. Keep a copy of the data directory and restore a backup.';

/** Whether the positions of a log follow each other without a gap, and every cause is there before what it caused. */
export async function checkLog(runId: string, events: EventStore, inspection: StoreInspection): Promise<Finding> {
  const check = `log ${runId}`;
  const last = await events.lastSeq();
  const from = Math.max(0, last - LOOKED_THROUGH);
  const known = new Set<string>();
  const outside = new Set<string>();
  const versions = new Map<string, number>();
  let seq = from;
  for await (const { seq: next, event, streamId, version } of events.readLog(from, last - from)) {
    if (next !== seq + 1) return wrong(check, `Position ${seq + 1} is missing: ${next} follows ${seq}.`, MEND);
    seq = next;
    known.add(event.id);
    if (event.causationId !== null && !known.has(event.causationId)) {
      if (from === 0)
        return wrong(
          check,
          `Event ${event.id} (${seq}) was caused by ${event.causationId}, which is not before it.`,
          MEND,
        );
      outside.add(event.causationId);
    }
    if (streamId === undefined || version === undefined) continue;
    const before = versions.get(streamId) ?? (from === 0 ? 0 : version - 1);
    if (version !== before + 1)
      return wrong(check, `Stream ${streamId} goes from version ${before} to ${version} at ${seq}.`, MEND);
    versions.set(streamId, version);
  }
  if (seq !== last) return wrong(check, `It ends at ${seq}, though ${last} positions were given out.`, MEND);
  const asked = [...outside].slice(0, ASKED_CAUSES);
  const found = await inspection.knownIds(asked, FIRST_MS, LAST_MS);
  const lost = asked.find((id) => !found.has(id));
  if (lost !== undefined)
    return wrong(check, `Event ${shortId(lost)}… is named as a cause and is not in the log.`, MEND);
  const what = from === 0 ? plural(last, 'event') : `the newest ${count(last - from)} of ${plural(last, 'event')}`;
  return ok(check, `${what}: no gap, and no event without its cause.`);
}
