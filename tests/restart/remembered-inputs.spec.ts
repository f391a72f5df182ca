import { testEvent, type Handler } from '@moon/domain';

import { Engine, LogWriter, MemoryEventStore, recover, saveCheckpoint } from '@moon/kernel';

const T0 = 1_640_995_200_000;

const counter: Handler<{ ticks: number }> = {
  name: 'projection/counter',
  role: 'projection',
  partitionedBy: 'token',
  consumes: ['price.tick'],
  initialState: () => ({ ticks: 0 }),
  handle(_event, state) {
    state.ticks += 1;
  },
};

function engineOn(store: MemoryEventStore, seq: number): { engine: Engine; log: LogWriter } {
  const log = new LogWriter(store, seq);
  return { engine: new Engine({ handlers: [counter], log }), log };
}

const tick = testEvent('price.tick', T0, {
  ...{ token: 'BTC', instrument: 'BTC.HYPERLIQUID', price: 100, volume_1m: 0, kind: 'last', timestamp: T0 },
});

describe('an input that a feed sends again after a restart from a checkpoint (rules 1 and 3)', () => {
  it('is dropped as before the restart: memory and log tell the same story, and positions have no gap', async () => {
    const store = new MemoryEventStore();
    const before = engineOn(store, 0);
    before.engine.input(tick);
    before.engine.drain();
    expect(before.engine.input(tick)).toBe(false);
    await saveCheckpoint(store, before.log, before.engine);

    const after = engineOn(store, await store.lastSeq());
    await recover({ store, engine: after.engine });
    after.engine.input(tick);
    after.engine.drain();
    await after.log.durable(after.engine.lastSeq);

    expect(after.engine.host.state<{ ticks: number }>('projection/counter', 'BTC')?.ticks).toBe(1);
    expect(after.engine.lastSeq).toBe(await store.lastSeq());
  });
});
