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
  const missing = kept.filter(({ batch }) => batch.toSeq > claim.lastSeq);
  const taken = kept.findLast(({ batch }) => batch.toSeq <= claim.lastSeq);
  // Positions only grow: a journal that ends where a kept batch begins has taken nothing since from anybody.
  const isOurs = (missing[0]?.batch.afterSeq ?? claim.lastSeq) === claim.lastSeq;
  if (!isOurs || (taken && !(await holds(journal, taken)))) {
    const path = await local.setAside();
    const what =
      'another machine went on with the shard: what this one did while the store was away cannot be brought in';
    tell(what, { shard, path, journalEnd: claim.lastSeq, keptUpTo: kept.at(-1)?.batch.toSeq });
    return claim;
  }
  for (const { batch, rows } of missing) await journal.append(batch, rows);
  await local.clear();
  if (missing.length === 0) return claim;
  const events = missing.reduce((sum, { rows }) => sum + rows.length, 0);
  tell('brought into the journal what was done while the store was away', { shard, batches: missing.length, events });
  return { ...claim, lastSeq: missing.at(-1)?.batch.toSeq ?? claim.lastSeq };
}

async function holds(journal: ShardJournal, { batch: { afterSeq, toSeq, entries } }: KeptBatch): Promise<boolean> {
  for await (const stored of journal.read(afterSeq)) {
    return (
      stored.afterSeq === afterSeq && stored.toSeq === toSeq && entriesText(stored.entries) === entriesText(entries)
    );
  }
  return false;
}
