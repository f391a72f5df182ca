import { entriesText } from '../../core/journal-codec';
import type { ShardClaim, ShardJournal } from '../../ports/journal';
import type { KeptBatch, LocalJournal } from '../../ports/local-journal';

type Told = (message: string, context: Record<string, unknown>) => void;

/**
 * Brings into a shard's journal what its last owner on this machine handled while the store was away. Left out is what the
 * store had taken after all. When another machine has gone on with the shard meanwhile, nothing can follow any more: the
 * record is set aside, and what the venue reports of it halts its portfolio.
 *
 * @returns the claim, with the journal's new end
 */
export async function bringIn(
  journal: ShardJournal,
  claim: ShardClaim,
  local: LocalJournal,
  tell: Told,
): Promise<ShardClaim> {
  const { shard } = journal;
  const kept = await local.read();
  if (kept === null) return claim;
  const missing = await following(journal, kept, claim.lastSeq);
  for (const { batch, rows } of missing) await journal.append(batch, rows);
  const events = missing.reduce((sum, { rows }) => sum + rows.length, 0);
  if (missing.length > 0)
    tell('brought into the journal what was done while the store was away', { shard, batches: missing.length, events });
  if (await holdsAll(journal, kept)) await local.clear();
  else {
    const path = await local.setAside();
    const what =
      'another machine went on with the shard: what this one did while the store was away cannot be brought in';
    tell(what, { shard, path, journalEnd: claim.lastSeq, keptUpTo: kept.at(-1)?.batch.toSeq });
  }
  return { ...claim, lastSeq: missing.at(-1)?.batch.toSeq ?? claim.lastSeq };
}

/** The kept batches that go on, one after the other, from the journal's end. */
async function following(journal: ShardJournal, kept: readonly KeptBatch[], end: number): Promise<KeptBatch[]> {
  const missing: KeptBatch[] = [];
  let at = end;
  for (const one of kept) {
    if (one.batch.afterSeq !== at) continue;
    missing.push(one);
    at = one.batch.toSeq;
  }
  // Positions only grow: a journal that ends where the first kept batch begins has taken nothing since from anybody. Where it
  // ends at a later one, the one before that must be what it holds.
  const before = kept.findLast(({ batch }) => batch.toSeq === end);
  return before && !(await holds(journal, before)) ? [] : missing;
}

/** What lies below the journal's beginning was in it, and has expired. */
async function holdsAll(journal: ShardJournal, kept: readonly KeptBatch[]): Promise<boolean> {
  const begin = await beginOf(journal);
  for (const one of kept) if (one.batch.toSeq > begin && !(await holds(journal, one))) return false;
  return true;
}

/** Position after which the journal begins; -1 for one that is empty. */
async function beginOf(journal: ShardJournal): Promise<number> {
  for await (const { afterSeq } of journal.read(0)) return afterSeq;
  return -1;
}

async function holds(journal: ShardJournal, { batch: { afterSeq, toSeq, entries } }: KeptBatch): Promise<boolean> {
  for await (const stored of journal.read(afterSeq)) {
    return (
      stored.afterSeq === afterSeq && stored.toSeq === toSeq && entriesText(stored.entries) === entriesText(entries)
    );
  }
  return false;
}
