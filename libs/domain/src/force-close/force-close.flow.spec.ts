import type { EventType } from '@moon/events';
import { Flow, INSTRUMENT } from './testing/flow';

const config = { cooldownMs: 60_000 };

/** The types that matter here, in the order in which they first happened. */
function firsts(flow: Flow): EventType[] {
  const told: EventType[] = [
    'risk.critical',
    'halt.raised',
    'trade.close',
    'order.requested',
    'trade.executed',
    'position.closed',
    'risk.ok',
    'halt.lifted',
  ];
  return [...new Set(flow.log.map(({ type }) => type))].filter((type) => told.includes(type));
}

describe('force close with the real risk agent and the real owner', () => {
  it('[RSK-2] [RSK-5] a price under 10 % from liquidation: HALT, reduce-only close, position.closed, risk.ok, release', () => {
    const flow = new Flow(config).open().tick(95_000);
    expect(flow.of('risk.critical')).toEqual([]);
    flow.wait(1_000).tick(88_000);
    expect(flow.of('risk.critical')).toHaveLength(1);
    expect(flow.of('order.requested')).toMatchObject([
      {
        instrument: INSTRUMENT,
        side: 'sell',
        quantity: '1',
        order_type: 'MARKET',
        reduceOnly: true,
        priority: 'force_close',
      },
    ]);
    expect(flow.of('position.closed')).toMatchObject([{ instrument: INSTRUMENT, quantity: '1', exit_price: 88_000 }]);
    expect(flow.of('halt.lifted')).toEqual([]);
    flow.wait(59_999);
    expect(flow.owner.portfolio?.halts).toHaveLength(1);
    flow.wait(1);
    expect(flow.owner.portfolio?.halts).toEqual([]);
    expect(firsts(flow)).toEqual([
      'risk.critical',
      'halt.raised',
      'trade.close',
      'order.requested',
      'trade.executed',
      'position.closed',
      'risk.ok',
      'halt.lifted',
    ]);
    const stages = flow.of('trade.force_close').map(({ stage }) => stage);
    expect(stages).toEqual(['started', 'halted', 'closing', 'flat', 'released']);
  });

  it('[RSK-5] a rejection and a partial fill come in between: three orders, never more than the position', () => {
    const flow = new Flow(config, ['rejected', 'partly', 'filled']).open().tick(88_000).wait(120_000);
    expect(flow.of('order.requested').map(({ quantity }) => quantity)).toEqual(['1', '1', '0.5']);
    expect(flow.of('trade.executed').map(({ quantity }) => quantity)).toEqual(['0.5', '0.5']);
    expect(flow.of('position.closed')).toHaveLength(1);
    expect(flow.of('trade.force_close').at(-1)?.stage).toBe('released');
  });

  it('[RSK-5] an unknown outcome keeps its order the only one until the venue tells', () => {
    const flow = new Flow(config, ['silent']).open().tick(88_000).wait(100_000);
    const [order, ...others] = flow.of('order.requested');
    expect(others).toEqual([]);
    expect(flow.of('halt.lifted')).toEqual([]);
    flow.fillOrder(order!.order_id, '1');
    flow.settle().wait(120_000);
    expect(flow.of('order.requested')).toHaveLength(1);
    expect(flow.of('trade.force_close').at(-1)?.stage).toBe('released');
  });
});
