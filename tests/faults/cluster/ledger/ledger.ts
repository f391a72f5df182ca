import { ClusterLog, RedisProjectionCache } from '@moon/infra';
import type { JournalBatch } from '@moon/kernel';
import { pause } from '../root';
import { quiescent, type Rig } from '../rig';
import { loginAt, primaryOf } from '../store';
import { checkCache } from './cache-check';
import { checkAccepted, checkCarried, checkKeyOrder, checkLog } from './compare';
import { Findings } from './findings';
import { hearingsOf } from './hearings';
import { JournalCover } from './journal-cover';
import { LogFold } from './log-fold';
import { checkVenue } from './venue-check';

const SETTLE_WITHIN_MS = 180_000;
const SETTLE_HUNG_WITHIN_MS = 20_000;
const LOOK_AGAIN_MS = 3_000;
/** Looks until a difference counts: whatever runs by itself (deadlines, marks) may fall between two reads. */
const LOOKS = 3;

const STREAM_SHARDS = 'SELECT event_id, shard FROM stream_events WHERE shard IS NOT NULL';

export interface LedgerOptions {
  /** Keys that are expected to be parked: a poison message was planted for them. */
  parkedExpected?: boolean;
  /** Something hangs already: what else is wrong is looked for once, and not waited for. */
  isHung?: boolean;
}

/**
 * Holds everything that was accepted against everything that is kept, after a fault and once nothing is under way. The
 * load is to be held back meanwhile.
 */
export async function checkLedger(rig: Rig, options: LedgerOptions = {}): Promise<Findings> {
  const { isHung = false } = options;
  const settleMs = (isHung ? SETTLE_HUNG_WITHIN_MS : SETTLE_WITHIN_MS) * (rig.options.patience ?? 1);
  await rig.load.idle(settleMs);
  for (let look = 1; ; look += 1) {
    const findings = new Findings();
    for (const open of await quiescent(rig, settleMs)) findings.add('stuck', open);
    if (findings.isClean) await lookOnce(rig, findings, options);
    if (findings.isClean || isHung || look === LOOKS) return findings;
    await pause(LOOK_AGAIN_MS);
  }
}

async function lookOnce(rig: Rig, findings: Findings, options: LedgerOptions): Promise<void> {
  const { auditor, load } = rig;
  await auditor.caughtUp(SETTLE_WITHIN_MS);
  const carried = new Map(auditor.events);
  const cover = new JournalCover(hearingsOf(rig.config));
  for (const open of await quiescent(rig, SETTLE_WITHIN_MS)) findings.add('stuck', open);
  await readJournals(rig, cover, findings);
  cover.judge(carried, findings);
  const fold = await readLog(rig, findings);
  fold.judge(findings);
  await checkVenue(rig.venue, fold, findings);
  for (const open of await quiescent(rig, SETTLE_WITHIN_MS)) findings.add('stuck', open);
  await auditor.caughtUp(SETTLE_WITHIN_MS);
  checkCarried(carried, fold, findings);
  checkLog(fold, auditor.events, findings);
  cover.judgeOutputs(auditor.events, fold, findings);
  checkAccepted(load.accepted, carried, findings);
  checkKeyOrder(load.said, carried, findings);
  for (const conflict of auditor.conflicts) findings.add('doubled', conflict);
  if (rig.options.cached) await checkCached(rig, findings);
  if (!options.parkedExpected) await checkParked(rig, findings);
}

async function readJournals({ store }: Rig, cover: JournalCover, findings: Findings): Promise<void> {
  const sql = 'SELECT shard, after_seq, to_seq, entries FROM journal ORDER BY shard, after_seq';
  const rows = await store.rows<{ shard: string; after_seq: string; to_seq: string; entries: JournalBatch['entries'] }>(
    sql,
  );
  if (rows === null) throw new Error('The store does not answer.');
  for (const { shard, after_seq, to_seq, entries } of rows)
    cover.take(shard, { afterSeq: Number(after_seq), toSeq: Number(to_seq), entries }, findings);
}

async function readLog(rig: Rig, findings: Findings): Promise<LogFold> {
  const fold = new LogFold(rig.options.grossExposure ?? null);
  await withLog(rig, async (log) => {
    for await (const row of log.readLog(0)) fold.take(row, findings);
  });
  const rows = await rig.store.rows<{ event_id: string; shard: string }>(STREAM_SHARDS);
  if (rows === null) throw new Error('The store does not answer.');
  for (const { event_id, shard } of rows) fold.emitted(event_id, shard);
  return fold;
}

/** The log at whichever server is primary now. */
async function withLog(rig: Rig, work: (log: ClusterLog) => Promise<void>): Promise<void> {
  const index = await primaryOf(rig.addresses);
  if (index === null) throw new Error('No PostgreSQL server is primary.');
  const log = new ClusterLog(loginAt(rig.addresses, index), rig.config.postgres.database);
  await work(log).finally(() => log.close());
}

async function checkCached(rig: Rig, findings: Findings): Promise<void> {
  const cache = await RedisProjectionCache.connect(rig.config.redis);
  try {
    // What runs by itself (deadlines, marks) may be said between two reads: only what stays wrong is wrong.
    await withLog(rig, (log) => checkCache(cache, () => log.readLog(0), findings));
  } finally {
    await cache.close();
  }
}

async function checkParked(rig: Rig, findings: Findings): Promise<void> {
  for (const [name, status] of await rig.statuses()) {
    for (const { shards = [] } of Object.values(status?.parts ?? {})) {
      for (const { shard, parked } of shards)
        for (const { handler, key } of parked)
          findings.add('stuck', `a key is parked: ${key} of ${handler}, ${shard} in ${name}`);
    }
  }
}
