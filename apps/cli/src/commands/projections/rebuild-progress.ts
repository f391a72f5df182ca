import { SingleBar } from 'cli-progress';
import type { RebuildProgress } from '@moon/kernel';
import type { Io } from '../../io';
import { count, span } from '../../output/text';

/** Wall ms between two lines when there is no terminal. */
const LINE_EVERY_MS = 5_000;
const STEPS = 1_000;
/** Share of the log below which nothing is said of the time left. */
const LEAST_SHARE = 0.01;

/** How far a rebuild is: a bar on a terminal, plain lines elsewhere. */
export class RebuildProgressView {
  private readonly bar: SingleBar | null;
  private readonly startedAt = performance.now();
  private lastLineAt = performance.now();

  constructor(private readonly io: Pick<Io, 'terminal' | 'err'>) {
    this.bar =
      io.terminal &&
      new SingleBar({ stream: io.terminal, format: '{bar} {percentage} %  {what}', hideCursor: true, etaBuffer: 50 });
    this.bar?.start(STEPS, 0, { what: 'opening' });
  }

  show(progress: RebuildProgress): void {
    const now = performance.now();
    const text = textOf(progress, now - this.startedAt);
    if (this.bar) this.bar.update(Math.round(shareOf(progress) * STEPS), { what: text });
    else if (now - this.lastLineAt >= LINE_EVERY_MS) {
      this.lastLineAt = now;
      this.io.err(text);
    }
  }

  stop(): void {
    this.bar?.stop();
  }
}

/** Of the log up to the cut; positions have small gaps. */
const shareOf = ({ seq, cut }: RebuildProgress): number => (cut === 0 ? 1 : Math.min(1, seq / cut));

/** What is said of a rebuild that has been going on for so long (wall ms). */
export function textOf(progress: RebuildProgress, elapsedMs: number): string {
  const { phase, events } = progress;
  const read = `${count(events)} events`;
  if (phase === 'writing') return `writing what ${read} led to, ${span(elapsedMs)}`;
  if (phase === 'catching-up') return `catching up with what readers see, ${read}, ${span(elapsedMs)}`;
  const rate = elapsedMs > 0 ? Math.round((events / elapsedMs) * 1_000) : 0;
  const share = shareOf(progress);
  const left = share > LEAST_SHARE ? `, ${span((elapsedMs / share) * (1 - share))} left` : '';
  return `reading, ${(share * 100).toFixed(0)} %, ${read}, ${count(rate)} events/s${left}`;
}
