import type { BusPartition } from '@moon/kernel';
import type { Kept, Positions } from './positions';

export interface CatchUpOptions {
  /** Offset below which the owner of a partition is done with everything; -1 when that is not known. */
  handled: (partition: BusPartition) => number;
  isStopped: () => boolean;
}

/** Pause after a question that no broker answered, wall ms. */
const RETRY_MS = 100;
/** From one question about a topic to the next, wall ms: an answer costs every broker that leads a partition of it. */
const LEAST_APART_MS = 50;
const LOOK_MS = 10;

/**
 * Tells when owners have handled what was on the broker. It has to be asked: an answer without messages tells the client
 * nothing, so what a consumer knows of a quiet partition's end is as old as the last message.
 */
export class CatchUp {
  /** The last question about a topic, asked or to be asked. */
  private readonly questions = new Map<string, Promise<unknown>>();
  /** Those that are to be asked, for everybody who wants to know until then. */
  private readonly coming = new Map<string, Promise<Map<number, Kept>>>();

  constructor(
    private readonly positions: Pick<Positions, 'kept'>,
    private readonly options: CatchUpOptions,
  ) {}

  /** See `BusConsumer.caughtUp`. */
  async wait(partitions: readonly BusPartition[], patienceMs: number): Promise<boolean> {
    const topics = [...new Set(partitions.map(({ topic }) => topic))];
    const kept = await within(Promise.all(topics.map((topic) => this.answer(topic, patienceMs))), patienceMs);
    if (kept === null) return false;
    const ends = partitions.flatMap((partition) => {
      const found = kept[topics.indexOf(partition.topic)]?.get(partition.partition);
      // What has expired comes no more.
      return found && found.low < found.high ? [{ partition, end: found.high }] : [];
    });
    return this.reach(ends, patienceMs);
  }

  private async reach(ends: readonly { partition: BusPartition; end: number }[], patienceMs: number): Promise<boolean> {
    const { handled, isStopped } = this.options;
    let [movedAt, stood] = [performance.now(), ''];
    while (!isStopped()) {
      const behind = ends.filter(({ partition, end }) => handled(partition) < end);
      if (behind.length === 0) return true;
      const stands = behind.map(({ partition }) => handled(partition)).join();
      if (stands !== stood) [movedAt, stood] = [performance.now(), stands];
      if (performance.now() - movedAt >= patienceMs) return false;
      await pause(LOOK_MS);
    }
    return false;
  }

  private async answer(topic: string, patienceMs: number): Promise<Map<number, Kept>> {
    for (const end = performance.now() + patienceMs; ;) {
      try {
        return await this.ask(topic);
      } catch (error) {
        if (this.options.isStopped() || performance.now() >= end) throw error;
        await pause(RETRY_MS);
      }
    }
  }

  /** One question about a topic at a time; an answer to one that was asked before may be too old. */
  private ask(topic: string): Promise<Map<number, Kept>> {
    const coming = this.coming.get(topic);
    if (coming) return coming;
    const question = (async () => {
      await this.questions.get(topic);
      this.coming.delete(topic);
      if (this.options.isStopped()) throw new Error('The consumer was stopped.');
      return this.positions.kept(topic);
    })();
    this.coming.set(topic, question);
    const over = (): Promise<void> => pause(LEAST_APART_MS);
    this.questions.set(topic, question.then(over, over));
    return question;
  }
}

/** Null when the time was up first, or the work failed. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), ms)));
  return Promise.race([work.catch(() => null), patience]).finally(() => clearTimeout(timer));
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
