import type { LogSink } from '../ports/log-sink';
import { UrgentWaits } from './urgent-waits';

const URGENT_MS = 20;

/** A log whose store answers after a while, and a place for what must not wait. */
function logThatStores(
  afterMs: number,
): Pick<LogSink, 'durable' | 'durableSeq' | 'fatal' | 'secure'> & { kept: number } {
  const log = {
    durableSeq: 0,
    fatal: null,
    kept: 0,
    durable: () =>
      new Promise<void>((resolve) => {
        setTimeout(() => {
          log.durableSeq = 1;
          resolve();
        }, afterMs).unref();
      }),
    secure: () => {
      log.kept += 1;
      return Promise.resolve();
    },
  };
  return log;
}

/** As SIGSTOP and SIGCONT: nothing runs meanwhile, and every timer is late. */
function freeze(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

describe('[SYS-8] what must not wait for the store', () => {
  const waits = (log: object): UrgentWaits => new UrgentWaits({ log: log as LogSink, urgentMs: URGENT_MS });

  it('waits for a store that answers in time', async () => {
    const log = logThatStores(1);
    await waits(log).safe(1);
    expect(log.kept).toBe(0);
  });

  it('is kept on this machine when it does not', async () => {
    const log = logThatStores(10_000);
    await waits(log).safe(1);
    expect(log.kept).toBe(1);
  });

  it('waits once more after it was frozen: what the store had answered meanwhile is still to be heard', async () => {
    const log = logThatStores(URGENT_MS + 5);
    const safe = waits(log).safe(1);
    freeze(URGENT_MS + 600);
    await safe;
    expect(log.kept).toBe(0);
    expect(log.durableSeq).toBe(1);
  });
});
