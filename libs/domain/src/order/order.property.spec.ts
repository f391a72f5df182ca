import type { EmitData } from '@moon/events';
import fc from 'fast-check';
import { add, cmp } from '../money';
import { acceptance, factsOf, fillReport, fold, report, submission, submitted, T0 } from './fixtures/orders';
import {
  applyVenueReport,
  evolveOrder,
  isRefused,
  isTerminal,
  markOutcomeUnknown,
  orderHashView,
  requestCancel,
  submitOrder,
  TRANSITIONS,
  type Emission,
  type OrderInput,
  type OrderState,
} from '.';

type Report = EmitData<'venue.report'>;
/** One thing that may happen to a sent order, in any sequence. */
type Happening = { report: Report } | { ask: 'cancel' | 'unknown' | 'resubmit' };

const fill = fc
  .tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 95, max: 105 }))
  .map(([id, tenths, price]) => fillReport(`f${id}`, String(tenths / 20), { price: String(price) }));
const other = fc
  .constantFrom<Report['kind']>('rejected', 'cancelled', 'expired', 'cancel_rejected')
  .map((kind) => report(kind));
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fill.map((value) => ({ report: value })) },
  { weight: 2, arbitrary: fc.constant(0).map(() => ({ report: acceptance() })) },
  { weight: 2, arbitrary: other.map((value) => ({ report: value })) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('cancel' as const, 'unknown' as const, 'resubmit' as const).map((ask) => ({ ask })),
  },
);
/** Sequences with duplicates: every happening may come again later. */
const happenings = fc
  .array(happening, { maxLength: 25 })
  .chain((list) => fc.shuffledSubarray(list).map((again) => [...list, ...again]));

function decide(state: OrderState, what: Happening) {
  if ('report' in what) return applyVenueReport(state, what.report);
  if (what.ask === 'cancel') return requestCancel(state, { reason: 'test', timestamp: T0 + 20 });
  if (what.ask === 'unknown') return markOutcomeUnknown(state, { detail: 'timeout', timestamp: T0 + 20 });
  return submitOrder(state, { ...submission, nonce: state.attempt + 1, venueTime: submission.expiresAt + 1 });
}

/** Lets everything happen, and checks each step; what was refused changes nothing. */
function live(list: readonly Happening[], onStep?: (before: OrderState, event: Emission, after: OrderState) => void) {
  const events: Emission[] = [...submitted];
  let state = fold(events);
  for (const what of list) {
    const decision = decide(state, what);
    if (isRefused(decision)) continue;
    for (const event of factsOf(decision)) {
      const next = evolveOrder(state, event);
      onStep?.(state, event, next);
      events.push(event);
      state = next;
    }
  }
  return { state, events };
}

const inputOf = (event: Emission): OrderInput =>
  (event.type === 'trade.executed' ? `${event.type}:${event.data.status}` : event.type) as OrderInput;

describe('an order under any sequence of reports, duplicates and reorderings', () => {
  it('moves by the transitions of the table and no others', () => {
    fc.assert(
      fc.property(happenings, (list) => {
        live(list, (before, event, after) => {
          expect(TRANSITIONS[before.status][inputOf(event)]).toBe(after.status);
          if (isTerminal(before.status)) expect(isTerminal(after.status)).toBe(true);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('is never filled beyond its quantity, and never twice by one fill', () => {
    fc.assert(
      fc.property(happenings, (list) => {
        const { state, events } = live(list);
        const fills = events.flatMap((event) => (event.type === 'trade.executed' ? [event.data] : []));
        expect(cmp(state.filled, state.quantity)).toBeLessThanOrEqual(0);
        expect(state.filled).toBe(fills.reduce((sum, { quantity }) => add(sum, quantity), '0'));
        expect(new Set(fills.map(({ fillId }) => fillId)).size).toBe(fills.length);
        expect(state.status === 'filled').toBe(state.filled === state.quantity);
      }),
      { numRuns: 500 },
    );
  });

  it('books a fill or says why not: within the quantity always, beyond it never', () => {
    fc.assert(
      fc.property(happenings, fill, (list, extra) => {
        const { state } = live(list);
        const decision = applyVenueReport(state, extra);
        if (state.fillIds.includes(extra.fillId as string)) expect(decision).toEqual({ events: [] });
        else if (cmp(add(state.filled, extra.quantity as string), state.quantity) > 0) {
          expect(decision).toMatchObject({ refused: { code: 'overfill' } });
        } else expect(factsOf(decision).at(-1)).toMatchObject({ type: 'trade.executed' });
      }),
      { numRuns: 500 },
    );
  });

  it('[EVS-6] is rebuilt from its stream, and from any snapshot and the rest of it, to the same bytes', () => {
    fc.assert(
      fc.property(happenings, fc.nat(), (list, at) => {
        const { state, events } = live(list);
        const stored = JSON.parse(JSON.stringify(events)) as Emission[];
        expect(JSON.stringify(fold(stored))).toBe(JSON.stringify(state));
        const cut = 1 + (at % stored.length);
        const snapshot = JSON.parse(JSON.stringify(fold(stored.slice(0, cut)))) as OrderState;
        const resumed = stored.slice(cut).reduce<OrderState>((order, event) => evolveOrder(order, event), snapshot);
        expect(JSON.stringify(resumed)).toBe(JSON.stringify(state));
      }),
      { numRuns: 300 },
    );
  });

  it('ends the same whatever the order in which its true fills arrive', () => {
    const parts = fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(parts, fc.integer(), (tenths, seed) => {
        const fills = tenths.map((part) => fillReport(`f${part}`, String(part / 20), { price: String(90 + part) }));
        const shuffled = [...fills].sort((a, b) => ((Number(a.price) * seed) % 7) - ((Number(b.price) * seed) % 7));
        const run = (list: Report[]) => live(list.map((one) => ({ report: one }))).state;
        expect(orderHashView(run([...shuffled, acceptance()]))).toEqual(orderHashView(run([acceptance(), ...fills])));
      }),
    );
  });
});
