import type { EmitData } from '@moon/events';
import { fold, ORDER_ID, requested, submission, T0 } from './fixtures/orders';
import {
  evolveOrder,
  IllegalOrderTransition,
  isTerminal,
  TRANSITIONS,
  type Emission,
  type OrderInput,
  type OrderState,
  type OrderStatus,
} from '.';

const STATUSES = Object.keys(TRANSITIONS).filter((status) => status !== 'none') as OrderStatus[];
const INPUTS: OrderInput[] = [
  'order.requested',
  'order.approved',
  'order.submitted',
  'order.outcome_unknown',
  'order.cancel_requested',
  'trade.placed',
  'trade.executed:PARTIALLY_FILLED',
  'trade.executed:FILLED',
  'trade.rejected',
  'trade.cancelled',
  'trade.expired',
];

const common = { order_id: ORDER_ID, portfolio: 'main', timestamp: T0 + 5 };
const market = { ...common, token: 'BTC', instrument: 'BTC.HYPERLIQUID' };

/** An event of the given kind that fits the order's quantities, so that only the table can refuse it. */
function eventOf(input: OrderInput, state: OrderState | undefined): Emission {
  const filled = state?.filled ?? '0';
  switch (input) {
    case 'order.requested':
      return requested[0] as Emission;
    case 'order.approved':
      return { type: input, data: { ...common, limitsChecked: 1, recordedBreaches: [] } };
    case 'order.submitted':
      return { type: input, data: { ...common, ...submission, attempt: (state?.attempt ?? 0) + 1 } };
    case 'order.outcome_unknown':
      return { type: input, data: { ...common, attempt: 1, detail: 'no answer' } };
    case 'order.cancel_requested':
      return { type: input, data: { ...common, reason: 'test' } };
    case 'trade.placed': {
      const data = {
        ...market,
        size: 2,
        order_type: 'MARKET',
        side: 'buy',
        quantity: '2',
        venueOrderId: 'v1',
      } as const;
      return { type: input, data };
    }
    case 'trade.executed:PARTIALLY_FILLED':
      return { type: 'trade.executed', data: fill('PARTIALLY_FILLED', '0.25', filled) };
    case 'trade.executed:FILLED':
      return { type: 'trade.executed', data: fill('FILLED', String(2 - Number(filled)), filled) };
    case 'trade.rejected':
      return { type: input, data: { ...market, reason: 'code', message: 'why', stage: 'venue' } };
    case 'trade.cancelled':
      return { type: input, data: { ...market, filledQuantity: filled, reason: 'test' } };
    case 'trade.expired':
      return { type: input, data: { ...market, filledQuantity: filled } };
  }
}

function fill(status: 'PARTIALLY_FILLED' | 'FILLED', quantity: string, filled: string): EmitData<'trade.executed'> {
  const money = { price: '100', quantity, fee: '0', feeAsset: 'USDC', liquidity: 'taker', side: 'buy' } as const;
  return {
    ...market,
    ...money,
    fill_price: 100,
    filled_amount: 1,
    fillId: `at-${filled}`,
    cumulativeQuantity: '1',
    status,
  };
}

/** Every status that can be reached through the table, with one state that has it and that is not full. */
function explore(): Map<OrderStatus, OrderState> {
  const found = new Map<OrderStatus, OrderState>();
  const queue: OrderState[] = [fold(requested)];
  for (let state = queue.shift(); state !== undefined; state = queue.shift()) {
    if (found.has(state.status)) continue;
    found.set(state.status, state);
    for (const input of INPUTS) {
      if (TRANSITIONS[state.status][input] !== undefined) queue.push(evolveOrder(state, eventOf(input, state)));
    }
  }
  return found;
}

describe("an order's transitions", () => {
  const reached = explore();

  it('reach every status of the table from a request', () => {
    expect([...reached.keys()].sort()).toEqual([...STATUSES].sort());
  });

  it.each(STATUSES.flatMap((status) => INPUTS.map((input): [OrderStatus, OrderInput] => [status, input])))(
    'from %s by %s are what the table says, or refused',
    (status, input) => {
      const state = reached.get(status) as OrderState;
      const next = TRANSITIONS[status][input];
      if (next === undefined) {
        expect(() => evolveOrder(state, eventOf(input, state))).toThrow(IllegalOrderTransition);
      } else if (status !== 'filled' || input === 'trade.placed') {
        expect(evolveOrder(state, eventOf(input, state)).status).toBe(next);
      }
    },
  );

  it('begin with a request and nothing else', () => {
    for (const input of INPUTS.filter((kind) => kind !== 'order.requested')) {
      expect(() => evolveOrder(undefined, eventOf(input, undefined))).toThrow(IllegalOrderTransition);
    }
  });

  it('never leave a final status but by a late fill', () => {
    for (const status of STATUSES.filter(isTerminal)) {
      for (const [input, next] of Object.entries(TRANSITIONS[status])) {
        expect(isTerminal(next)).toBe(true);
        if (next !== status) expect(input).toMatch(/^trade\.executed/);
      }
    }
  });

  it('leave an order alone when an event does not move orders', () => {
    const state = fold(requested);
    const event = {
      type: 'portfolio.deposited',
      data: { portfolio: 'main', amount: '1', asset: 'USDC', timestamp: T0 },
    } as const;
    expect(evolveOrder(state, event)).toBe(state);
    expect(() => evolveOrder(undefined, event)).toThrow(IllegalOrderTransition);
  });
});
