import { ClusterLog } from '@moon/infra';
import type { Carried } from '../auditor';
import { pause } from '../root';
import { quiescent, type Rig } from '../rig';
import { loginAt, primaryOf } from '../store';
import { Findings } from './findings';
import { JournalCover } from './journal-cover';
import { isStoreFirst, LogFold } from './log-fold';
import { checkVenue } from './venue-check';

const SETTLE_WITHIN_MS = 180_000;
const LOOK_AGAIN_MS = 3_000;
/** Looks until a difference counts: whatever runs by itself (deadlines, marks) may fall between two reads. */
const LOOKS = 3;

export interface LedgerOptions {
  /** Keys that are expected to be parked: a poison message was planted for them. */
  parkedExpected?: boolean;
}

/**
 * Holds everything that was accepted against everything that is kept, after a fault and once nothing is under way. The
 * load is to be held back meanwhile.
 */
export async function checkLedger(rig: Rig, options: LedgerOptions = {}): Promise<Findings> {
  await rig.load.idle(SETTLE_WITHIN_MS);
  let findings = new Findings();
  for (let look = 1; look <= LOOKS; look += 1) {
    findings = new Findings();
    for (const open of await quiescent(rig, SETTLE_WITHIN_MS)) findings.add('stuck', open);
    if (findings.isClean) await lookOnce(rig, findings, options);
    if (findings.isClean) return findings;
    await pause(LOOK_AGAIN_MS);
  }
  return findings;
}

async function lookOnce(rig: Rig, findings: Findings, options: LedgerOptions): Promise<void> {
  const { auditor, load } = rig;
  await auditor.caughtUp(SETTLE_WITHIN_MS);
  const carried = new Map(auditor.events);
  const cover = new JournalCover(rig.config);
  for (const open of await quiescent(rig, SETTLE_WITHIN_MS)) findings.add('stuck', open);
  await cover.read(rig.store, findings);
  cover.judge(carried, findings);
  const fold = await readLog(rig, findings);
  fold.judge(findings);
  await checkVenue(rig.venue, fold, findings);
  for (const open of await quiescent(rig, SETTLE_WITHIN_MS)) findings.add('stuck', open);
  await auditor.caughtUp(SETTLE_WITHIN_MS);
  checkCarried(carried, fold, findings);
  checkLog(fold, auditor.events, findings);
  checkAccepted(load.accepted, carried, findings);
  checkKeyOrder(load.said, carried, findings);
  for (const conflict of auditor.conflicts) findings.add('doubled', conflict);
  if (!options.parkedExpected) await checkParked(rig, findings);
}

async function readLog(rig: Rig, findings: Findings): Promise<LogFold> {
  const index = await primaryOf(rig.addresses);
  if (index === null) throw new Error('No PostgreSQL server is primary.');
  const log = new ClusterLog(loginAt(rig.addresses, index), rig.config.postgres.database);
  const fold = new LogFold();
  try {
    for await (const row of log.readLog(0)) fold.take(row, findings);
  } finally {
    await log.close();
  }
  return fold;
}

/** What the brokers carry is in the log, and the same. */
function checkCarried(carried: ReadonlyMap<string, Carried>, fold: LogFold, findings: Findings): void {
  for (const [id, { digest, type }] of carried) {
    const stored = fold.events.get(id);
    if (!stored) findings.add('lost', `an event is not in the store: ${type} ${id}`);
    else if (stored.digest !== digest) findings.add('doubled', `an id has two contents: ${type} ${id}`);
  }
}

/** What was appended to streams is on the brokers, each stream in its order; every cause is known. */
function checkLog(fold: LogFold, carried: ReadonlyMap<string, Carried>, findings: Findings): void {
  const last = new Map<string, { version: number; offset: number }>();
  for (const [id, { stream, version, cause }] of fold.events) {
    if (cause !== null && !fold.events.has(cause) && !carried.has(cause))
      findings.add('lost', `a cause is unknown: ${cause} of ${id}`);
    const message = carried.get(id);
    if (stream === null) continue;
    if (!message) {
      findings.add('lost', `an event of a stream was not relayed: ${id} of ${stream}`);
      continue;
    }
    if (!isStoreFirst(message.type)) continue;
    const slot = `${stream} ${message.topic}/${message.partition}`;
    const before = last.get(slot);
    if (before && before.version < version && before.offset > message.offset)
      findings.add('reordered', `a stream was relayed out of order: ${stream} version ${version}`);
    last.set(slot, { version, offset: message.offset });
  }
}

function checkAccepted(accepted: ReadonlySet<string>, carried: ReadonlyMap<string, Carried>, findings: Findings): void {
  for (const id of accepted) if (!carried.has(id)) findings.add('lost', `an accepted input is gone: ${id}`);
}

/** The first copies of a key's inputs stand in the order in which they were said. */
function checkKeyOrder(
  said: ReadonlyMap<string, readonly string[]>,
  carried: ReadonlyMap<string, Carried>,
  findings: Findings,
): void {
  for (const [slot, ids] of said) {
    let last = -1;
    for (const id of ids) {
      const offset = carried.get(id)?.offset;
      if (offset === undefined) continue;
      if (offset < last) findings.add('reordered', `a key's inputs: ${slot.replace('\n', ' ')} at offset ${offset}`);
      last = Math.max(last, offset);
    }
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
