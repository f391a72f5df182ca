import type { HealthRegistry } from '@moon/infra';

/** What a part of a process saw of the cache when it asked last. */
export interface CacheSeen {
  isUp: boolean;
  /** In one line; why, when it is not up. */
  detail: string;
}

/** A part before the cache answered it or was found away. */
export const NOT_SEEN: CacheSeen = { isUp: false, detail: 'has not answered yet' };

/** Has health say what those parts saw that ask the cache: without it the process does less, and is READY all the same (CCH-4). */
export function noteCache(health: HealthRegistry, parts: readonly { cache?(): CacheSeen | null }[]): void {
  const seen = parts.flatMap((part) => part.cache?.() ?? []);
  if (seen.length === 0) return;
  const away = seen.filter(({ isUp }) => !isUp);
  const status = away.length === 0 ? 'up' : 'degraded';
  const told = away.length === 0 ? seen : away;
  const detail = [...new Set(told.map((one) => one.detail))].join('; ');
  const known = health.report().components.cache;
  if (known?.status !== status || known.detail !== detail) health.set('cache', status, detail);
}
