/**
 * Says the first at once, then what came last once in a while, with how many there were in between: what fails at every price would
 * fill a disk.
 *
 * @param everyMs wall time between two of them, ms
 */
export function seldom<T>(
  say: (one: T, more: { since: number }) => void,
  { everyMs = 30_000, now = () => performance.now() }: { everyMs?: number; now?: () => number } = {},
): (one: T) => void {
  let saidAt = Number.NEGATIVE_INFINITY;
  let since = 0;
  return (one) => {
    since += 1;
    if (now() - saidAt < everyMs) return;
    saidAt = now();
    say(one, { since });
    since = 0;
  };
}
