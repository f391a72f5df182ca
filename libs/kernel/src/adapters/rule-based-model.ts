import { derivedId, withEventType, type AnyEvent } from '@moon/events';
import { RULE_BASED_PROVIDER, ruleBasedModel } from '@moon/domain';
import type { EffectAdapter, TimedInput } from '../ports/effect';

export interface ModelLatency {
  /** Shortest and longest answer time in run-time ms; drawn from the inference's id, so that it is the same at every repeat. */
  minMs: number;
  maxMs: number;
}

/**
 * Answers `inference.requested` by documented rules when no language model is configured, and says so in the event.
 * It is a pure function of the request; its latency is a model in run time (rule 4).
 */
export function ruleBasedModelAdapter(latency: ModelLatency): EffectAdapter {
  return {
    name: 'model/rule-based',
    performs: ['inference.requested'],
    isPure: true,
    concurrency: 'parallel',
    requestKey: (request) => inferenceId(request) ?? request.id,
    settledBy: ['inference.completed'],
    settles: (event) => (event.type === 'inference.completed' ? event.data.inferenceId : null),
    perform(request): TimedInput[] {
      if (request.type !== 'inference.requested') return [];
      const { token, inferenceId: id, agent, model, windowId, features } = request.data;
      const latencyMs = drawLatency(id, latency);
      const at = request.occurredAt + latencyMs;
      const provider = RULE_BASED_PROVIDER;
      const status = 'ok' as const;
      const answer = ruleBasedModel({ features });
      const event: AnyEvent = {
        id: derivedId(request.id, 'model/rule-based', 0),
        type: 'inference.completed',
        schemaVersion: 1,
        source: 'model/rule-based',
        key: token,
        occurredAt: at,
        correlationId: request.correlationId,
        causationId: request.id,
        data: withEventType(
          'inference.completed',
          windowId === undefined
            ? { token, inferenceId: id, agent, model, provider, status, answer, latencyMs, timestamp: at }
            : { token, inferenceId: id, agent, model, windowId, provider, status, answer, latencyMs, timestamp: at },
        ),
        headers: request.headers,
      };
      return [{ event, availableAt: at }];
    },
  };
}

function drawLatency(id: string, { minMs, maxMs }: ModelLatency): number {
  const share = Number.parseInt(id.slice(0, 8), 16) / 0xffffffff;
  return Math.round(minMs + (maxMs - minMs) * share);
}

function inferenceId(event: AnyEvent): string | null {
  return event.type === 'inference.requested' ? event.data.inferenceId : null;
}
