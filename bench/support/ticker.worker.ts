import { parentPort, workerData } from 'node:worker_threads';

/** What arrives from a made-up line: how many ticks, the first one's number, and when they arrived (monotonic clock, ns). */
export interface Arrival {
  first: number;
  count: number;
  atNs: bigint;
}

/**
 * Stands for the network: sends ticks at a fixed rate from a thread of its own, so that a main thread that is busy makes
 * them wait, as a socket would.
 */
function main(): void {
  const port = parentPort;
  if (!port) throw new Error('ticker.worker runs in a worker thread only.');
  const { perSecond, stopAfter } = workerData as { perSecond: number; stopAfter: number };
  const sleep = new Int32Array(new SharedArrayBuffer(4));
  const start = process.hrtime.bigint();
  for (let sent = 0; sent < stopAfter;) {
    Atomics.wait(sleep, 0, 0, 0.5);
    const now = process.hrtime.bigint();
    const due = Math.min(stopAfter, Math.floor((Number(now - start) / 1e9) * perSecond));
    if (due <= sent) continue;
    port.postMessage({ first: sent, count: due - sent, atNs: now } satisfies Arrival);
    sent = due;
  }
}

main();
