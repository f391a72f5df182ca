import { readFileSync, readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';

/** The scheduler's lowest ordinary priority: about 1/70 of what a thread gets by default, and never before one that wakes. */
const LOWEST = 19;

/**
 * Lets the calling thread give way to every other one of the machine (ADR 0026): it runs when they wait. Linux only, where a
 * priority belongs to a thread; elsewhere it belongs to the whole process, which must keep its own, and nothing is done.
 *
 * @returns whether it gives way now
 */
export function giveWay(): boolean {
  if (process.platform !== 'linux') return false;
  setPriority(0, LOWEST);
  return true;
}

/** The kernel's number of the calling thread; null where threads have none that can be read. */
export function kernelThreadId(): number | null {
  return process.platform === 'linux' ? Number(basename(readlinkSync('/proc/thread-self'))) : null;
}

/** How long a thread of this process has waited for a processor since it began, ms; 0 where that cannot be read, or it ended. */
export function waitedForProcessorMs(threadId: number | null): number {
  if (threadId === null) return 0;
  try {
    // Two times, in ns, and a count: on a processor, waiting for one, turns.
    const [, waitedNs] = readFileSync(`/proc/self/task/${threadId}/schedstat`, 'utf8').split(' ');
    return Number(waitedNs) / 1e6;
  } catch (error) {
    // The thread is gone, or the kernel keeps no such statistics.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
