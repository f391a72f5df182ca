import type { AnyEvent } from '@moon/events';
import { SlaMonitor } from '../log/sla-monitor';
import { processEvent, type ProcessEventContext } from './process-event';

/** Service level of an append, p99 (EVS-4), wall ms. */
const BOUND_MS = 10;
/** Appends that are judged together. */
const SAMPLES = 200;
/** Wall time between two reports, ms. */
const QUIET_MS = 60_000;

export interface AppendSlaOptions {
  /** Where in the run the report belongs. */
  point: () => ProcessEventContext;
  submit: (event: AnyEvent) => void;
  onProblem: (message: string, context: Record<string, unknown>) => void;
}

/** Watches how long appends take: give it each one's wall ms, and it emits `metric.sla_violation` when they are too slow. */
export function appendSla({ point, submit, onProblem }: AppendSlaOptions): (elapsedMs: number) => void {
  const monitor = new SlaMonitor({
    ...{ boundMs: BOUND_MS, samples: SAMPLES, quietMs: QUIET_MS },
    onViolation: (p99) => {
      const p99Ms = Math.round(p99 * 1_000) / 1_000;
      onProblem('the store is slower than its service level', { p99Ms, boundMs: BOUND_MS });
      const at = point();
      const level = { metric: 'event_store_append_p99', value: p99Ms, bound: BOUND_MS, unit: 'ms' };
      submit(processEvent('metric.sla_violation', { ...level, timestamp: at.at }, at));
    },
  });
  return (elapsedMs) => monitor.observe(elapsedMs);
}
