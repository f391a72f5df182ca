import type { Handler } from '@moon/domain';

/** A planted agent of the isolation bench: it throws on every tenth tick. */
export function createAgents(): Handler[] {
  return [
    {
      name: 'agent/bench-throwing',
      role: 'agent',
      partitionedBy: 'token',
      consumes: ['price.tick'],
      initialState: () => ({ ticks: 0 }),
      handle(event, state: { ticks: number }) {
        state.ticks += 1;
        if (event.type === 'price.tick' && event.data.tradeId?.endsWith('0'))
          throw new Error('Planted: every tenth tick.');
      },
    },
  ];
}
