import type { AnyEvent } from '@moon/events';
import { answerWindow, applyHalt, completeConfig, isWarmup, speakUp, type PartialConfig } from '../../agent-kit';
import type { Handler, Outbox } from '../../handler';
import { sentimentAgentConfigSchema, type SentimentAgentConfig } from './config';
import { learn, sentimentView } from './decide';
import { newSentimentState, type SentimentAgentState } from './state';

/**
 * Sentiment agent: turns `sentiment.update` of every source into one fading view of the token, votes with it, and opens a
 * window when it becomes actionable. See `sentimentView` for the formula.
 */
export function createSentimentAgent(given: PartialConfig<SentimentAgentConfig> = {}): Handler<SentimentAgentState> {
  const config = completeConfig('sentiment agent', sentimentAgentConfigSchema, given);
  return {
    name: 'agent/sentiment',
    role: 'agent',
    partitionedBy: 'token',
    consumes: ['sentiment.update', 'consensus.opened'],
    broadcast: ['halt.raised', 'halt.lifted'],
    initialState: newSentimentState,
    handle: (event, state, out) => handle(event, state, out, config),
  };
}

function handle(event: AnyEvent, state: SentimentAgentState, out: Outbox, config: SentimentAgentConfig): void {
  switch (event.type) {
    case 'sentiment.update': {
      state.updates++;
      const changed = learn(state.sources, event.data, config);
      if (changed && !isWarmup(event)) {
        const view = sentimentView(state.sources, out.now, config);
        speakUp(view, state.voter, out, { agent: config.agent, config: config.opening, explain: () => view });
      }
      return;
    }
    case 'consensus.opened':
      return answerWindow(event, state.voter, out, {
        agent: config.agent,
        view: sentimentView(state.sources, out.now, config),
      });
    case 'halt.raised':
    case 'halt.lifted':
      return applyHalt(state.voter.halts, event);
    default:
      return;
  }
}
