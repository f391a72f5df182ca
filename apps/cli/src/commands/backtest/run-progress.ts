import { SingleBar } from 'cli-progress';
import type { RunningBacktest } from '@moon/backtesting';
import type { Io } from '../../io';
import { count, span } from '../../output/text';

/** Wall ms between two lines when there is no terminal. */
const LINE_EVERY_MS = 5_000;

/** How far a backtest is: a bar on a terminal, plain lines elsewhere. */
export class RunProgress {
  private readonly bar: SingleBar | null;
  private readonly startedAt = performance.now();
  private lastLineAt = performance.now();
  /** When events began to flow, and how many a second do. */
  private flowsSince: number | null = null;

  constructor(private readonly io: Pick<Io, 'terminal' | 'err'>) {
    this.bar =
      io.terminal &&
      new SingleBar({
        stream: io.terminal,
        format: '{bar} {percentage} %  {what}',
        hideCursor: true,
        etaBuffer: 50,
      });
    this.bar?.start(1_000, 0, { what: 'opening' });
  }

  show(running: RunningBacktest): void {
    const now = performance.now();
    if (running.phase === 'replaying' && running.events > 0) this.flowsSince ??= now;
    const text = this.text(running, now);
    if (this.bar) this.bar.update(Math.round(running.share * 1_000), { what: text });
    else if (now - this.lastLineAt >= LINE_EVERY_MS) {
      this.lastLineAt = now;
      this.io.err(text);
    }
  }

  stop(): void {
    this.bar?.stop();
  }

  private text({ phase, events, at, share }: RunningBacktest, now: number): string {
    if (phase !== 'replaying' || events === 0) return `${phase}, ${span(now - this.startedAt)}`;
    const elapsed = now - (this.flowsSince ?? now);
    const rate = elapsed > 0 ? (events / elapsed) * 1_000 : 0;
    const left = share > 0.01 && elapsed > 0 ? `, ${span((elapsed / share) * (1 - share))} left` : '';
    const day = new Date(at).toISOString().slice(0, 10);
    return `${day}  ${(share * 100).toFixed(0)} %  ${count(events)} events, ${count(Math.round(rate))} events/s${left}`;
  }
}
