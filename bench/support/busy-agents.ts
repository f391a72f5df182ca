import type { Handler } from '@moon/domain';

const BUSY_MS = 200;

/** The planted agent of the isolation bench: it burns 200 ms on every tick. */
export function createAgents(): Handler[] {
  return [
    {
      name: 'agent/bench-busy',
      role: 'agent',
      partitionedBy: 'token',
      consumes: ['price.tick'],
      initialState: () => ({ ticks: 0 }),
      handle(_event, state: { ticks: number }) {
        state.ticks += 1;
        for (const end = Date.now() + BUSY_MS; Date.now() < end;);
      },
    },
  ];
}
