import type { Handler } from '@moon/domain';

const HANGS_AT = '5000';

/** A planted agent of the isolation bench: it never returns from one tick. */
export function createAgents(): Handler[] {
  return [
    {
      name: 'agent/bench-hanging',
      role: 'agent',
      partitionedBy: 'token',
      consumes: ['price.tick'],
      initialState: () => ({}),
      handle(event) {
        while (event.type === 'price.tick' && event.data.tradeId?.endsWith(HANGS_AT));
      },
    },
  ];
}
