import { testEvent } from '../../handler';
import { div, type Decimal } from '../../money';
import type { ForceCloseState } from '../state';

/** The state as a store gives it back: through JSON, its keys in another order. */
export function reload(state: ForceCloseState): ForceCloseState {
  const turned = (value: unknown): unknown => {
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map(turned);
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, one]) => [key, turned(one)]),
    );
  };
  const copy = JSON.parse(JSON.stringify(state)) as ForceCloseState;
  if (JSON.stringify(copy) !== JSON.stringify(state)) throw new Error('The state is not plain JSON.');
  return turned(copy) as ForceCloseState;
}

export function tokenOf(instrument: string): string {
  return instrument.split('.')[0]!;
}

export function half(quantity: Decimal): Decimal {
  return div(quantity, '2', 8);
}

export function uuid(text: string): string {
  return testEvent('system.stopped', 0, { reason: text, timestamp: 0 }).id;
}
