import type { AnyEvent } from '@moon/events';
import { num15 } from '@moon/domain';
import type { InputSource } from '@moon/kernel';

/**
 * What a run of the check is given instead of its data: all of them; only those up to an instant (epoch ms, included);
 * those up to an instant as they are, and other prices after it.
 */
export type InputChange = { kind: 'none' } | { kind: 'truncate'; after: number } | { kind: 'disturb'; after: number };

/** The inputs of a source under a change. */
export function changedInputs(source: InputSource, change: InputChange): InputSource {
  if (change.kind === 'none') return source;
  const mirror = new Mirror();
  let hasEnded = false;
  return {
    async nextBatch() {
      if (hasEnded) return null;
      const batch = await source.nextBatch();
      if (batch === null) return null;
      if (change.kind === 'truncate') {
        const kept = batch.filter(({ occurredAt }) => occurredAt <= change.after);
        // Inputs come in the order of their time: after the first one that is too late there is nothing to be read.
        hasEnded = kept.length < batch.length;
        return hasEnded && kept.length === 0 ? null : kept;
      }
      return batch.map((event) => (event.occurredAt <= change.after ? mirror.pass(event) : mirror.turn(event)));
    },
  };
}

/**
 * Other prices that are as good as the real ones: each instrument's path mirrored in its last price before the change,
 * p' = a² ÷ p, so that every rise is a fall of the same ratio. Volumes, times and gaps stay.
 */
class Mirror {
  private readonly anchors = new Map<string, number>();

  pass(event: AnyEvent): AnyEvent {
    const seen = seenPrice(event);
    if (seen) this.anchors.set(seen.instrument, seen.price);
    return event;
  }

  turn(event: AnyEvent): AnyEvent {
    const seen = seenPrice(event);
    if (!seen) return event;
    const anchor = this.anchors.get(seen.instrument) ?? seen.price;
    this.anchors.set(seen.instrument, anchor);
    const turned = (price: number): number => num15((anchor * anchor) / price);
    if (event.type === 'price.tick')
      return { ...event, ...idsOf(event), data: { ...event.data, price: turned(event.data.price) } };
    if (event.type === 'bar.opened')
      return { ...event, ...idsOf(event), data: { ...event.data, open: turned(event.data.open) } };
    if (event.type !== 'bar.closed') return event;
    const { open, high, low, close } = event.data;
    const prices = { open: turned(open), high: turned(low), low: turned(high), close: turned(close) };
    return { ...event, ...idsOf(event), data: { ...event.data, ...prices } };
  }
}

function seenPrice(event: AnyEvent): { instrument: string; price: number } | null {
  if (event.type === 'price.tick') return { instrument: event.data.instrument, price: event.data.price };
  if (event.type === 'bar.opened') return { instrument: event.data.instrument, price: event.data.open };
  if (event.type === 'bar.closed') return { instrument: event.data.instrument, price: event.data.close };
  return null;
}

/** Ids of recorded inputs are made when they are asked for: a copy of the event alone would lack them. */
function idsOf({ id, correlationId }: AnyEvent): Pick<AnyEvent, 'id' | 'correlationId'> {
  return { id, correlationId };
}
