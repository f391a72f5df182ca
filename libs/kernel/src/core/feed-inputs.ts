import type { AnyEvent } from '@moon/events';

/** The sources that were asked about last: a run has few, and each is one text for all of its events. */
let lastFeed: string | null = null;
let lastOther: string | null = null;

/** Whether an event came in from a feed, by its source (`feed/…`). Asked of every event, several times. */
export function isOfFeed({ source }: AnyEvent): boolean {
  if (source === lastFeed) return true;
  if (source === lastOther) return false;
  if (!source.startsWith('feed/')) {
    lastOther = source;
    return false;
  }
  lastFeed = source;
  return true;
}
