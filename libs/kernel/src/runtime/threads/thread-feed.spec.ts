import type { LogRow } from '../../ports/event-store';
import { tick } from '../../testing/venue-desk';
import { ThreadFeed } from './thread-feed';

const event = (seq: number) => tick('BTC.HYPERLIQUID', seq, 100 + seq);
const everything = (row: LogRow) => Promise.resolve(row);

/** A feed over a log that ends where `posted` says. */
function feedOf({ from = 0, inFlight = 4, queued = 6 } = {}) {
  let now = 0;
  const log: LogRow[] = [];
  const readLog = async function* (after: number): AsyncIterable<LogRow> {
    for (const row of [...log]) if (row.seq > after) yield await Promise.resolve(row);
  };
  for (let seq = 1; seq <= from; seq += 1) log.push({ seq, event: event(seq) });
  const feed = new ThreadFeed(from, { inFlight, queued }, readLog, () => now);
  const post = (count: number): void => {
    for (let left = count; left > 0; left -= 1) {
      const seq = log.length + 1;
      log.push({ seq, event: event(seq) });
      feed.passed(seq);
      feed.keep({ seq, event: event(seq) });
    }
  };
  return { feed, post, wait: (ms: number) => (now += ms) };
}
const seqs = (items: ReadonlyArray<{ seq: number }> | null) => items?.map(({ seq }) => seq) ?? null;

describe('ThreadFeed', () => {
  it('gives what was posted in its order, never more than may be in flight', () => {
    const { feed, post } = feedOf();
    feed.start(0, () => true);
    post(6);
    expect(seqs(feed.take())).toEqual([1, 2, 3, 4]);
    expect(feed.take()).toBeNull();
    feed.answered(2, 2);
    expect(seqs(feed.take())).toEqual([5, 6]);
    expect(feed.sent).toBe(6);
    feed.answered(6, 4);
    expect(feed.isEmpty).toBe(true);
    expect(feed.acked).toBe(6);
  });

  it('keeps only so much in memory: beyond it the log is read, and what is posted meanwhile follows without a gap', async () => {
    const { feed, post } = feedOf();
    feed.start(0, () => true);
    post(9);
    expect(feed.isBehind).toBe(true);
    expect(feed.take()).toBeNull();
    expect(seqs(await feed.read(everything))).toEqual([1, 2, 3, 4]);
    post(2);
    expect(await feed.read(everything)).toBeNull();
    feed.answered(4, 4);
    expect(seqs(await feed.read(everything))).toEqual([5, 6, 7, 8]);
    feed.answered(8, 4);
    expect(seqs(await feed.read(everything))).toEqual([9]);
    expect(feed.isBehind).toBe(false);
    expect(seqs(feed.take())).toEqual([10, 11]);
  });

  it('starts from a position in the log, and joins it to what was posted before the thread was there', async () => {
    const { feed, post } = feedOf({ from: 3 });
    post(2);
    feed.start(1, () => true);
    expect(seqs(await feed.read(everything))).toEqual([2, 3]);
    expect(seqs(feed.take())).toEqual([4, 5]);
  });

  it('tells how long the oldest unanswered event has been waiting, however much is answered meanwhile', () => {
    const { feed, post, wait } = feedOf({ inFlight: 2, queued: 100 });
    feed.start(0, () => true);
    expect(feed.lagMs).toBe(0);
    post(10);
    feed.take();
    wait(500);
    expect(feed.lagMs).toBe(500);
    post(1);
    feed.take();
    feed.answered(2, 2);
    expect(feed.lagMs).toBe(500);
    for (let answered = 2; answered < 11;) {
      const count = feed.take()?.length ?? 0;
      answered += count;
      feed.answered(answered, count);
    }
    expect(feed.lagMs).toBe(0);
  });
});
