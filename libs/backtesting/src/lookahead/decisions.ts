import type { AnyEvent, EventType } from '@moon/events';

/** What is compared: opinions, and what was decided on them. */
const DECISIONS: ReadonlySet<EventType> = new Set<EventType>([
  'signal.generated',
  'inference.requested',
  'consensus.opened',
  'trade.consensus_approved',
  'signal.consensus_failed',
  'order.requested',
  'order.approved',
  'trade.rejected',
]);

/** A decision, with everything that can be told apart. */
export interface DecisionSeen {
  /** Handler that made it, e.g. `agent/sma-flip`. */
  by: string;
  type: EventType;
  /** Epoch ms. */
  at: number;
  id: string;
  data: string;
}

/** Gathers the decisions of one run, handler by handler, in their order. */
export class DecisionLog {
  readonly by = new Map<string, DecisionSeen[]>();

  clear(): void {
    this.by.clear();
  }

  note(event: AnyEvent): void {
    if (!DECISIONS.has(event.type)) return;
    const { source, type, occurredAt, id, data } = event;
    const list = this.by.get(source) ?? [];
    list.push({ by: source, type, at: occurredAt, id, data: JSON.stringify(data) });
    this.by.set(source, list);
  }

  /** Every decision of the run in the order of time. */
  all(): DecisionSeen[] {
    return [...this.by.values()].flat().sort((a, b) => a.at - b.at);
  }
}

/** Two runs that saw the same up to an instant, and what a handler decided differently by then; null = it was not there. */
export interface Difference {
  by: string;
  /** Time of the earlier one of the two, epoch ms. */
  at: number;
  whole: DecisionSeen | null;
  changed: DecisionSeen | null;
}

/** The first decision up to `until` (epoch ms, included) in which two runs differ, for each handler that has one. */
export function firstDifferences(whole: DecisionLog, changed: DecisionLog, until: number): Difference[] {
  const names = [...new Set([...whole.by.keys(), ...changed.by.keys()])].sort();
  return names.flatMap((by) => {
    const [one, other] = [whole, changed].map((log) => (log.by.get(by) ?? []).filter(({ at }) => at <= until));
    for (let index = 0; index < Math.max(one?.length ?? 0, other?.length ?? 0); index += 1) {
      const [a, b] = [one?.[index] ?? null, other?.[index] ?? null];
      if (a?.id === b?.id && a?.data === b?.data) continue;
      return [
        {
          by,
          at: Math.min(a?.at ?? Number.POSITIVE_INFINITY, b?.at ?? Number.POSITIVE_INFINITY),
          whole: a,
          changed: b,
        },
      ];
    }
    return [];
  });
}
