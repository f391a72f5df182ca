import type { LogRow } from '@moon/kernel';

/**
 * The rows of a log as several partitions give them: rows of one group stay in their order, groups are interleaved at random.
 *
 * @param random uniform numbers in [0, 1)
 */
export function interleaved(rows: readonly LogRow[], groupOf: (row: LogRow) => string, random: () => number): LogRow[] {
  const groups = new Map<string, LogRow[]>();
  for (const row of rows) {
    const name = groupOf(row);
    const group = groups.get(name);
    if (group) group.push(row);
    else groups.set(name, [row]);
  }
  const queues = [...groups.values()].map((queue) => ({ queue, next: 0 }));
  const mixed: LogRow[] = [];
  while (queues.length > 0) {
    const at = Math.floor(random() * queues.length);
    const chosen = queues[at]!;
    mixed.push(chosen.queue[chosen.next]!);
    chosen.next += 1;
    if (chosen.next === chosen.queue.length) queues.splice(at, 1);
  }
  return mixed;
}
