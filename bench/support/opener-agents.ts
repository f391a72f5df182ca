import type { Handler } from '@moon/domain';

/** Trade ids with this beginning make the opener open a consensus window. */
export const DECIDE = 'decide-';

/** Two agents that agree at once: the shortest way from a tick through a consensus to an order. */
export function createAgents(): Handler[] {
  return [opener(), seconder()];
}

function opener(): Handler<{ decisions: number }> {
  return {
    name: 'agent/bench-opener',
    role: 'agent',
    partitionedBy: 'token',
    consumes: ['price.tick'],
    initialState: () => ({ decisions: 0 }),
    handle(event, state, out) {
      if (event.type !== 'price.tick' || !event.data.tradeId?.startsWith(DECIDE)) return;
      const { token, timestamp } = event.data;
      state.decisions += 1;
      const vote = { action: state.decisions % 2 === 1 ? 'BUY' : 'SELL', score: 90, confidence: 0.9 } as const;
      out.emit('signal.generated', {
        token,
        ...vote,
        agent: 'bench_opener',
        reason: 'the bench asks for it',
        timestamp,
      });
    },
  };
}

function seconder(): Handler<{ action: 'BUY' | 'SELL' }> {
  return {
    name: 'agent/bench-seconder',
    role: 'agent',
    partitionedBy: 'token',
    consumes: ['signal.generated', 'consensus.opened'],
    initialState: () => ({ action: 'BUY' }),
    handle(event, state, out) {
      if (event.type === 'signal.generated' && event.data.agent === 'bench_opener' && event.data.action !== 'HOLD') {
        state.action = event.data.action;
      }
      if (event.type !== 'consensus.opened') return;
      const { token, windowId, timestamp } = event.data;
      const vote = { action: state.action, score: 90, confidence: 0.9, agent: 'bench_seconder' };
      out.emit('signal.generated', { token, ...vote, windowId, reason: 'it agrees', timestamp });
    },
  };
}
