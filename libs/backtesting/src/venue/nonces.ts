import { VenueRefused } from '@moon/kernel';

/** As many nonces as HyperLiquid keeps per signer. */
export const KEPT_NONCES = 100;

/**
 * Takes a nonce, as HyperLiquid does: it must not be among the 100 highest used ones, and once there are 100 it must be
 * above the smallest of them. Out of order is fine. `used` is kept sorted.
 *
 * @throws VenueRefused `nonce_used` or `nonce_too_low`; nothing is changed then
 */
export function takeNonce(used: number[], nonce: number): void {
  const smallest = used[0];
  let at = used.length;
  while (at > 0 && (used[at - 1] as number) > nonce) at -= 1;
  if (at > 0 && used[at - 1] === nonce) {
    throw new VenueRefused('nonce_used', `Invalid nonce: duplicate nonce ${nonce}.`);
  }
  if (used.length >= KEPT_NONCES && smallest !== undefined && nonce < smallest) {
    throw new VenueRefused('nonce_too_low', `Invalid nonce: nonce too low ${nonce} < ${smallest}.`);
  }
  if (at === used.length) used.push(nonce);
  else used.splice(at, 0, nonce);
  if (used.length > KEPT_NONCES) used.shift();
}
