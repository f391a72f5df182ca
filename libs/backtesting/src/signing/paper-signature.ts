import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Signature of a paper venue's order or cancellation: HMAC-SHA256 over the exact payload text (UTF-8) with the
 * account's key (UTF-8), as 64 lower-case hexadecimal digits.
 */
export function signPaperOrder(payload: string, key: string): string {
  return createHmac('sha256', key).update(payload).digest('hex');
}

/** True when `signature` is what `signPaperOrder` gives for the same payload and key. */
export function isPaperSignature(payload: string, key: string, signature: string): boolean {
  const expected = Buffer.from(signPaperOrder(payload, key));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
