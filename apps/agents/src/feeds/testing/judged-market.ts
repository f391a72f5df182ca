import {
  createBarBuilder,
  createChartAgent,
  createConsensusSaga,
  createCorrelationAgent,
  createFundingAgent,
  createLiquidationAgent,
  createLiquidationNormaliser,
  createSentimentAgent,
  createSentimentNormaliser,
  createTradingAgent,
  RULE_BASED_MODEL,
  RULE_BASED_PROVIDER,
  ruleBasedModel,
} from '@moon/domain';
import { derivedId, type AnyEvent, type EventEnvelope } from '@moon/events';
import { Engine, LockstepRuntime, VolatileLog, type EffectAdapter, type Feed } from '@moon/kernel';
import type { ManualClock } from './manual-clock';

/** Answers as the platform does without a language model, some time later in feed time. */
function modelAdapter(latencyMs: number): EffectAdapter {
  return {
    name: 'model/test',
    performs: ['inference.requested'],
    isPure: true,
    concurrency: 'parallel',
    requestKey: (request) => (request.type === 'inference.requested' ? request.data.inferenceId : request.id),
    settledBy: ['inference.completed'],
    settles: (event) => (event.type === 'inference.completed' ? event.data.inferenceId : null),
    perform(request) {
      if (request.type !== 'inference.requested') return [];
      const { token, inferenceId, agent, windowId, features } = request.data;
      const timestamp = request.occurredAt + latencyMs;
      const data: EventEnvelope<'inference.completed'>['data'] = {
        ...{ event_type: 'inference.completed', token, inferenceId, agent, model: RULE_BASED_MODEL, status: 'ok' },
        ...{ provider: RULE_BASED_PROVIDER, answer: ruleBasedModel({ features }), latencyMs, timestamp },
        ...(windowId !== undefined && { windowId }),
      };
      const id = derivedId(request.id, 'model/test', 0);
      const { correlationId, headers } = request;
      const event: AnyEvent = {
        ...{ id, type: 'inference.completed', schemaVersion: 1, source: 'model/test', key: token },
        ...{ occurredAt: timestamp, correlationId, causationId: request.id, data, headers },
      };
      return [{ event, availableAt: timestamp }];
    },
  };
}

/**
 * Hears a feed in virtual time as the platform would: normalisers, the judging agents and the consensus saga with their
 * defaults, the rule-based model answering after `latencyMs` of feed time.
 *
 * @param seen every event, inputs and what follows from them
 */
export async function judge(
  feed: Feed,
  clock: ManualClock,
  run: { minutes: number; latencyMs: number; seen: (event: AnyEvent) => void },
): Promise<void> {
  const heard: AnyEvent[] = [];
  const sink = { submit: (event: AnyEvent) => heard.push(event) > 0, refused: () => undefined };
  const handlers = [
    createBarBuilder(),
    createLiquidationNormaliser(),
    createSentimentNormaliser(),
    createTradingAgent(),
    createChartAgent(),
    createSentimentAgent(),
    createFundingAgent(),
    createLiquidationAgent(),
    createCorrelationAgent(),
    createConsensusSaga(),
  ];
  const engine: Engine = new Engine({
    handlers,
    adapters: [modelAdapter(run.latencyMs)],
    log: new VolatileLog(() => undefined),
    onEvent: (event) => run.seen(event),
    onRequest: (request) => runtime.request(request),
    onFailure: (failure) => {
      throw new Error(`${failure.handler}: ${JSON.stringify(failure)}`);
    },
  });
  const past = await feed.warmup(clock.now());
  await feed.start(sink);
  let minutes = 0;
  let given = false;
  const source = {
    nextBatch: (): Promise<AnyEvent[] | null> => {
      if (!given) {
        given = true;
        return Promise.resolve(past);
      }
      if (minutes >= run.minutes) return Promise.resolve(null);
      minutes += 1;
      clock.advance(60_000);
      return Promise.resolve(heard.splice(0));
    },
  };
  const runtime = new LockstepRuntime({
    engine,
    source,
    log: new VolatileLog(() => undefined),
    headers: { mode: 'synthetic' },
  });
  await runtime.run();
  await feed.stop();
}
