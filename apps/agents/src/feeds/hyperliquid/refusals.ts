import type { FeedSink } from '@moon/kernel';

const SAMPLE = 200;

/** Counts what is refused, by reason, and tells the sink once there is one. */
export class Refusals {
  readonly byReason: Record<string, number> = {};
  private sink: FeedSink | null = null;
  private early: [reason: string, message: string, sample: string][] = [];

  add(reason: string, message: string, part: unknown): void {
    this.byReason[reason] = (this.byReason[reason] ?? 0) + 1;
    const content = typeof part === 'string' ? part : (JSON.stringify(part) ?? '');
    const sample = content.slice(0, SAMPLE).replace(/[^\x20-\x7e]+/g, ' ');
    if (this.sink) this.sink.refused(reason, message, sample);
    else this.early.push([reason, message, sample]);
  }

  /** What was refused before (in the warm-up) is told now. */
  attach(sink: FeedSink): void {
    this.sink = sink;
    for (const one of this.early.splice(0)) sink.refused(...one);
  }
}
