import { testEvent, type Handler } from '@moon/domain';

import { Engine, VolatileLog } from '@moon/kernel';

const T0 = 1_640_995_200_000;

let isBroken = true;
const executed: string[] = [];

/** Sends a command on every tick. */
const sender: Handler<object> = {
  name: 'saga/sender',
  role: 'saga',
  partitionedBy: 'token',
  consumes: ['price.tick'],
  initialState: () => ({}),
  handle(_event, _state, out) {
    out.send({ type: 'CancelOrder', key: 'main', orderId: 'o-1', reason: 'a test' } as never);
  },
};

/** Owns the command, and breaks on it until it is fixed. */
const owner: Handler<object> = {
  name: 'execution',
  role: 'aggregate',
  partitionedBy: 'portfolio',
  consumes: [],
  commands: ['CancelOrder'],
  initialState: () => ({}),
  handle(event) {
    executed.push(`event ${event.type}`);
  },
  execute(command) {
    if (isBroken) throw new Error('a bug');
    executed.push(`command ${command.type}`);
  },
};

describe('a command on which its owner broke (rule 25)', () => {
  it('is executed when the key is unparked after the fix, not lost', () => {
    const engine = new Engine({ handlers: [sender, owner], log: new VolatileLog() });
    const tick = testEvent('price.tick', T0, {
      ...{ token: 'BTC', instrument: 'BTC.HYPERLIQUID', price: 100, volume_1m: 0, kind: 'last', timestamp: T0 },
    });
    engine.input(tick);
    engine.drain();
    expect(engine.parking.list().map(({ handler, key }) => `${handler}/${key}`)).toEqual(['execution/main']);
    isBroken = false;
    engine.input(
      testEvent('key.unparked', T0 + 1, {
        ...{ handler: 'execution', handlerKey: 'main', eventId: tick.id, seq: 1, timestamp: T0 + 1 },
      }),
    );
    engine.drain();
    expect(executed).toEqual(['command CancelOrder']);
  });
});
