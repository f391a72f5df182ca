import type { AnyEvent } from '@moon/events';
import type { Engine } from '../../core/engine';
import { skippedEvent } from '../../core/failure-events';
import { processEvent } from '../../platform/process-event';
import type { AgentOffence, ThreadedAgentsOptions } from './threaded-agents';

export interface AgentReportOptions {
  engine: () => Engine;
  headers: AnyEvent['headers'];
  submit: (event: AnyEvent) => void;
  /** For the process's own log. */
  onProblem: (message: string, context: Record<string, unknown>) => void;
}

type Reports = Pick<ThreadedAgentsOptions, 'onOffence' | 'onSkip' | 'onLagging' | 'onCrash'>;

/** What goes wrong with agents, as events of the log (AGT-2, AGT-6, rule 25) and warnings of the process. */
export function agentReports({ engine, headers, submit, onProblem }: AgentReportOptions): Reports {
  const here = (): { at: number; seq: number; headers: AnyEvent['headers'] } => ({
    at: engine().now,
    seq: engine().lastSeq,
    headers,
  });
  return {
    onOffence({ reason, agent, key, item, elapsedMs, attempts, error }: AgentOffence): void {
      onProblem(reason === 'timeout' ? 'agent timed out' : 'agent thread died', {
        agent,
        key,
        event: item.event.id,
        correlationId: item.event.correlationId,
        elapsedMs,
        attempts,
        error,
      });
      const at = here();
      const data = { agent, eventId: item.event.id, elapsedMs: Math.round(elapsedMs), timestamp: at.at };
      if (reason === 'timeout') submit(processEvent('agent.timeout', data, at));
    },
    onSkip({ reason, agent, key, item, attempts, error }: AgentOffence): void {
      const { event, seq, replay } = item;
      const text = `${error}, ${attempts} times`;
      submit(
        skippedEvent({ handler: agent, handlerKey: key, event, seq, reason, error: text, cause: replay ?? event }),
      );
    },
    onLagging({ agent, lagMs, queued }): void {
      const at = here();
      submit(processEvent('agent.lagging', { agent, lagMs: Math.round(lagMs), queued, timestamp: at.at }, at));
    },
    onCrash(agents, error, isGivenUp): void {
      const then = isGivenUp ? 'and stays down' : 'and is started again';
      onProblem(`agent thread died ${then}`, { agents, error: error.message });
    },
  };
}
