import type { Carried } from '../carried';
import type { Findings } from './findings';
import { isStoreFirst, type LogFold } from './log-fold';

/** What the brokers carry is in the log, and the same. */
export function checkCarried(carried: ReadonlyMap<string, Carried>, fold: LogFold, findings: Findings): void {
  for (const [id, { digest, type }] of carried) {
    const stored = fold.events.get(id);
    if (!stored) findings.add('lost', `an event is not in the store: ${type} ${id}`);
    else if (stored.digest !== digest) findings.add('doubled', `an id has two contents: ${type} ${id}`);
  }
}

/** What was appended to streams is on the brokers, each stream in its order; every cause is known. */
export function checkLog(fold: LogFold, carried: ReadonlyMap<string, Carried>, findings: Findings): void {
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

export function checkAccepted(
  accepted: ReadonlySet<string>,
  carried: ReadonlyMap<string, Carried>,
  findings: Findings,
): void {
  for (const id of accepted) if (!carried.has(id)) findings.add('lost', `an accepted input is gone: ${id}`);
}

/** The first copies of a key's inputs stand in the order in which they were said. */
export function checkKeyOrder(
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
