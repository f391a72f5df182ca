import type { Divergence, DivergenceKind } from './report';

/** Divergences at which a comparison ends: what follows would say nothing new. */
const MOST = 1_000;

/** Keeps count of what differs, and the first of it by position. */
export class Findings {
  readonly byKind: Partial<Record<DivergenceKind, number>> = {};
  count = 0;
  first: Divergence | null = null;

  add(found: Divergence): void {
    this.count += 1;
    this.byKind[found.kind] = (this.byKind[found.kind] ?? 0) + 1;
    if (this.first === null || found.seq < this.first.seq) this.first = found;
  }

  /** What was taken for missing has turned up later: it is there, at another turn. */
  turnedUp(id: string): void {
    this.byKind.not_recorded = (this.byKind.not_recorded ?? 1) - 1;
    if (this.byKind.not_recorded === 0) delete this.byKind.not_recorded;
    this.byKind.order = (this.byKind.order ?? 0) + 1;
    const { first } = this;
    if (first?.kind !== 'not_recorded' || first.replayed?.id !== id) return;
    first.kind = 'order';
    first.says = `${first.handler} emitted ${first.type} earlier in the replay than in the log.`;
  }

  get areTooMany(): boolean {
    return this.count >= MOST;
  }
}
