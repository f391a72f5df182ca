/** PostgreSQL: connection lost (08), out of resources (53), shut down or starting (57P0x), try again (40001, 40P01). */
const TRANSIENT_SQL_STATE = /^(08...|53...|57P0[123]|40001|40P01)$/;

const TRANSIENT_SYSTEM_CODE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']);

/** pg gives these no code. */
const TRANSIENT_MESSAGE =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/**
 * True when the store could not be reached or was not ready: the same append may be tried again, since it is idempotent.
 * A conflict, a diverged log or a refused value is not transient.
 */
export function isTransientStoreError(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return TRANSIENT_SQL_STATE.test(code) || TRANSIENT_SYSTEM_CODE.has(code);
  return typeof message === 'string' && TRANSIENT_MESSAGE.test(message);
}
