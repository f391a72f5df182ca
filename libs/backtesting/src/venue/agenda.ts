import type { Due, VenueState } from './state';

type NewDue = Due extends infer D ? (D extends Due ? Omit<D, 'n'> : never) : never;

/** Puts something on the agenda; at one instant, what was put there first comes first. */
export function schedule(state: VenueState, due: NewDue): void {
  state.made += 1;
  const entry = { ...due, n: state.made } as Due;
  const { agenda } = state;
  let low = 0;
  let high = agenda.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = agenda[middle];
    if (other && other.at <= entry.at) low = middle + 1;
    else high = middle;
  }
  agenda.splice(low, 0, entry);
}

/** Takes the next entry that is due at `ms` or before. */
export function takeDue(state: VenueState, ms: number): Due | undefined {
  const next = state.agenda[0];
  if (!next || next.at > ms) return undefined;
  state.agenda.shift();
  return next;
}
