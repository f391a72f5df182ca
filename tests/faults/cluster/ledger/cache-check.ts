import { Projector, type CacheEntry, type CacheUpdate, type LogRow, type ProjectionCache } from '@moon/kernel';
import type { Findings } from './findings';

const KEYS_AT_ONCE = 500;
/** Who halts opening orders while the cache is away. */
const GATE = '"source":"cache"';

type Fold = ReadonlyMap<string, CacheUpdate>;

/**
 * What readers find against what the log folds to: every key, version and byte, and no key more (SYS-4, CCH-4). The log is
 * read before and after the cache: what is said in between may be shown or not.
 */
export async function checkCache(
  cache: ProjectionCache,
  readLog: () => AsyncIterable<LogRow>,
  findings: Findings,
): Promise<void> {
  const before = await foldOf(readLog());
  const shown = await everything(cache);
  const after = await foldOf(readLog());
  for (const key of shown.keys())
    if (!after.has(key)) findings.add('doubled', `the cache shows what the log does not know: ${key}`);
  for (const [key, from] of before) compare({ from, to: after.get(key)! }, shown.get(key) ?? null, findings);
}

async function foldOf(log: AsyncIterable<LogRow>): Promise<Fold> {
  const projector = new Projector();
  for await (const row of log) projector.apply(row);
  projector.settle();
  return new Map([...projector.entries()].map((entry) => [entry.key, entry]));
}

async function everything(cache: ProjectionCache): Promise<Map<string, CacheEntry>> {
  const keys = new Set<string>();
  for await (const page of cache.keys()) for (const key of page) keys.add(key);
  const all = new Map<string, CacheEntry>();
  for (let rest = [...keys]; rest.length > 0; rest = rest.slice(KEYS_AT_ONCE)) {
    const some = rest.slice(0, KEYS_AT_ONCE);
    const { entries } = await cache.get(some);
    for (const [index, key] of some.entries()) if (entries[index]) all.set(key, entries[index]);
  }
  return all;
}

function compare({ from, to }: Record<'from' | 'to', CacheUpdate>, shown: CacheEntry | null, findings: Findings): void {
  const { key } = from;
  if (!shown) {
    findings.add('lost', `the cache does not show: ${key}`);
    return;
  }
  if (shown.version < from.version || shown.version > to.version)
    findings.add('stuck', `the cache is not at the log's version: ${key}, ${shown.version} instead of ${to.version}`);
  for (const { version, value } of [from, to])
    if (shown.version === version && shown.value !== value)
      findings.add('doubled', `the cache shows something else than the log: ${key}`);
  if (key.startsWith('halts:') && shown.value?.includes(GATE))
    findings.add('stuck', `opening orders are still halted, though the cache is back: ${key}`);
}
