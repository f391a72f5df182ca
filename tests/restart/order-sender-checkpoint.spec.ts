import type { AnyEvent } from '@moon/events';
import { testEvent } from '@moon/domain';

import {
  Engine,
  LogWriter,
  MemoryEventStore,
  orderEffects,
  recover,
  saveCheckpoint,
  VenueLink,
  VenueTimeout,
  type VenuePort,
} from '@moon/kernel';

const T0 = 1_640_995_200_000;
const ORDER = '00000000-0000-5000-8000-000000000001';

/** A venue that has the order and whose report is still on its way. */
function venueThatHasIt(asked: string[], isSilent = false): VenuePort {
  const nothing = (): never[] => [];
  return {
    name: 'test',
    openAccount: () => undefined,
    market: nothing,
    advanceTo: nothing,
    nextDueAt: () => null,
    submit: () => {
      asked.push('submit');
      return [];
    },
    cancel: nothing,
    query: () => {
      asked.push('query');
      if (isSilent) throw new VenueTimeout('no answer');
      return {
        ...{ known: true, venueTime: T0, orderId: ORDER, venueOrderId: null, status: 'pending' },
        ...{ filledQuantity: '0', averagePrice: null, fees: '0', orders: 1 },
      } as never;
    },
    reportsSince: nothing,
    marketCauses: () => ({}),
    books: () => {
      throw new Error('no books');
    },
  };
}

function engineOn(
  store: MemoryEventStore,
  seq: number,
  asked: string[],
  isSilent = false,
  status = 'submitted',
): { engine: Engine; log: LogWriter } {
  const link = new VenueLink(venueThatHasIt(asked, isSilent), { mode: 'live' }, true);
  const log = new LogWriter(store, seq);
  const engine = new Engine({
    handlers: [],
    log,
    companions: [link],
    adapters: orderEffects({
      link,
      headers: { mode: 'live' },
      order: () =>
        ({
          ...{ instrument: 'BTC.HYPERLIQUID', side: 'buy', quantity: '1', orderType: 'MARKET', timeInForce: 'IOC' },
          ...{ reduceOnly: false, attempt: 1, status, isTerminal: false, halts: [] },
          submission: {
            clientOrderId: '0x01',
            nonce: 1,
            expiresAt: T0 + 15_000,
            payload: '{}',
            signature: 'signature',
          },
        }) as never,
      sign: () => 'signature',
      nextNonce: () => 1,
      timeToLiveMs: 15_000,
      retryMs: 500,
    }),
    onEvent: (event) => link.observe(event),
  });
  return { engine, log };
}

describe('a restart from a checkpoint that was taken while an order was on its way', () => {
  it('asks the venue about the order instead of declaring that it was never sent', async () => {
    const store = new MemoryEventStore();
    const before = engineOn(store, 0, []);
    before.engine.input(submission());
    before.engine.drain();
    expect(before.engine.effects.unsettled()).toHaveLength(1);
    await saveCheckpoint(store, before.log, before.engine);

    const asked: string[] = [];
    const after = engineOn(store, await store.lastSeq(), asked);
    await recover({ store, engine: after.engine });
    const results: AnyEvent[] = [];
    for (const open of after.engine.effects.unsettled()) {
      const adapter = after.engine.effects.adapter(open.adapter);
      const inputs = await adapter.perform(open.request, { now: T0, recovering: true });
      results.push(...(inputs ?? []).map(({ event }) => event));
    }
    expect(results.map(({ type }) => type)).not.toContain('order.withheld');
    expect(asked).toContain('query');
  });

  it('does not declare an order unsent that the venue has reported meanwhile (a late outcome_unknown, a report found at the start)', async () => {
    const { engine } = engineOn(new MemoryEventStore(), 0, [], false, 'accepted');
    const submitted = submission();
    engine.input(submitted);
    engine.input(
      testEvent('venue.report', T0 + 1, {
        ...{ portfolio: 'main', reportId: 'r1', venueSeq: 1, kind: 'accepted', order_id: ORDER, venueOrderId: 'v1' },
        ...{ timestamp: T0 + 1 },
      } as never),
    );
    engine.drain();
    const late = testEvent('order.outcome_unknown', T0, {
      ...{ order_id: ORDER, portfolio: 'main', attempt: 1, detail: 'no answer', timestamp: T0 },
    });
    const inputs = await engine.effects.adapter('order-sender').perform(late, { now: T0 + 500, recovering: false });
    expect((inputs ?? []).map(({ event }) => event.type)).not.toContain('order.withheld');
  });

  it('says a second silence after a restart under another id than the first, so that the order is asked for again', async () => {
    const store = new MemoryEventStore();
    const silence = { now: T0, recovering: true };
    const before = engineOn(store, 0, [], true);
    before.engine.input(submission());
    before.engine.drain();
    const first = await before.engine.effects.adapter('order-sender').perform(submission(), silence);
    for (const { event } of first ?? []) before.engine.input(event);
    before.engine.drain();
    await before.log.durable(before.engine.lastSeq);

    const after = engineOn(store, await store.lastSeq(), [], true);
    await recover({ store, engine: after.engine });
    const [open] = after.engine.effects.unsettled();
    const second = await after.engine.effects.adapter('order-sender').perform(open!.request, silence);
    expect(second?.map(({ event }) => event.type)).toEqual(['order.outcome_unknown']);
    expect(second?.map(({ event }) => after.engine.input(event))).toEqual([true]);
  });
});

function submission(): AnyEvent {
  return testEvent('order.submitted', T0, {
    ...{ order_id: ORDER, portfolio: 'main', attempt: 1, clientOrderId: '0x01', nonce: 1 },
    ...{ expiresAt: T0 + 15_000, payload: '{}', signature: 'signature', timestamp: T0 },
  });
}
