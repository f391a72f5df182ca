import type { AnyEvent } from '@moon/events';
import { answerWindow, applyHalt, completeConfig, isWarmup, speakUp, type PartialConfig } from '../../agent-kit';
import type { Handler, Outbox } from '../../handler';
import { fundingAgentConfigSchema, type FundingAgentConfig } from './config';
import { fundingView, learn } from './decide';
import { newFundingState, type FundingAgentState } from './state';

/**
 * Funding agent: reads crowding from funding rates, normalised to a year so that venues compare, votes with its view and
 * opens a window at extremes. See `fundingView` for the formula.
 */
export function createFundingAgent(given: PartialConfig<FundingAgentConfig> = {}): Handler<FundingAgentState> {
  const config = completeConfig('funding agent', fundingAgentConfigSchema, given);
  const { mildExcess, mildUpTo, extremeExcess, fullExcess } = config;
  if (!(mildExcess <= mildUpTo && mildUpTo <= extremeExcess && extremeExcess < fullExcess)) {
    throw new Error('Configuration of funding agent: mildExcess ≤ mildUpTo ≤ extremeExcess < fullExcess must hold.');
  }
  return {
    name: 'agent/funding',
    role: 'agent',
    partitionedBy: 'token',
    consumes: ['funding.update', 'consensus.opened'],
    broadcast: ['halt.raised', 'halt.lifted'],
    initialState: newFundingState,
    handle: (event, state, out) => handle(event, state, out, config),
  };
}

function handle(event: AnyEvent, state: FundingAgentState, out: Outbox, config: FundingAgentConfig): void {
  switch (event.type) {
    case 'funding.update': {
      state.updates++;
      if (learn(state.rates, event.data) && !isWarmup(event)) {
        const view = fundingView(state.rates, out.now, config);
        speakUp(view, state.voter, out, { agent: config.agent, config: config.opening, explain: () => view });
      }
      return;
    }
    case 'consensus.opened':
      return answerWindow(event, state.voter, out, {
        agent: config.agent,
        view: fundingView(state.rates, out.now, config),
      });
    case 'halt.raised':
    case 'halt.lifted':
      return applyHalt(state.voter.halts, event);
    default:
      return;
  }
}
