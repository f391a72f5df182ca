import { canonicalHash } from './canonical-json';

/** What rule 6 hashes: every handler's view of its states, and the venues' books. */
export interface HashedState {
  handlers: Record<string, unknown>;
  venues: Record<string, unknown>;
}

/**
 * SHA-256 over the RFC 8785 JSON of aggregates, handler states and venue books, to be taken after the last input.
 * It stands outside versions, event ids, attempts and the recovery path: two runs over the same inputs agree,
 * however often one of them was killed.
 */
export function stateHash(state: HashedState): string {
  return canonicalHash(state);
}
