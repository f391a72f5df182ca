import { entriesText } from '../../core/journal-codec';
import { ConcurrencyConflict, type LogRow } from '../../ports/event-store';
import type { ShardClaim, ShardJournal } from '../../ports/journal';
import type { KeptBatch, LocalJournal } from '../../ports/local-journal';
import { goOnWhereStored } from './stream-numbers';

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
  const all = missing.flatMap(({ rows }) => rows);
  for (const one of missing) await append(journal, one, all);
  const events = missing.reduce((sum, { rows }) => sum + rows.length, 0);
  if (missing.length > 0)
    tell('brought into the journal what was done while the store was away', { shard, batches: missing.length, events });
  const held = await holdsAll(journal, kept);
  if (held === 'all') await local.clear();
  else {
    const path = await local.setAside();
    const cannot = 'what this one did while the store was away cannot be brought in';
    const why =
      held === 'expired' ? 'the journal has expired past what was kept here' : 'another machine went on with the shard';
    tell(`${why}: ${cannot}`, { shard, path, journalEnd: claim.lastSeq, keptUpTo: kept.at(-1)?.batch.toSeq });
  }
  return { ...claim, lastSeq: missing.at(-1)?.batch.toSeq ?? claim.lastSeq };
}

/** Appends a kept batch; late news of an order go on where the store has its stream, in those after it, too. */
async function append(journal: ShardJournal, { batch, rows }: KeptBatch, all: readonly LogRow[]): Promise<void> {
  for (;;) {
    try {
      return await journal.append(batch, rows);
    } catch (thrown) {
      if (!(thrown instanceof ConcurrencyConflict) || goOnWhereStored(thrown, all) === 0) throw thrown;
    }
  }
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

/** A later one that is held word for word shows that those before it, which have expired, were in the journal, too. */
async function holdsAll(journal: ShardJournal, kept: readonly KeptBatch[]): Promise<'all' | 'not all' | 'expired'> {
  const begin = await beginOf(journal);
  const comparable = kept.filter(({ batch }) => batch.toSeq > begin);
  if (comparable.length === 0) return 'expired';
  for (const one of comparable) if (!(await holds(journal, one))) return 'not all';
  return 'all';
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
