/**
 * A commit that may be or may not be: on the primary alone, or on none. The same again, with the same ids, makes it
 * certain.
 */
export class CommitUnknown extends Error {
  override readonly name = 'CommitUnknown';
  constructor(reason: string) {
    super(`The outcome of a commit is unknown: ${reason}`);
  }
}

/**
 * PostgreSQL: connection lost (08), out of resources (53), shut down, starting or cancelled (57), try again (40001,
 * 40P01), read-only because it has just become a standby (25006).
 */
const TRANSIENT_SQL_STATE = /^(08...|53...|57P0[1-5]|57014|40001|40P01|25006)$/;

/**
 * Trouble of the server itself. Where it ends the session (FATAL: a new one on a full disk, "could not write init file") or
 * the server (PANIC: the write-ahead log could not be synced), it may be over the next time; as an error of a statement it stays.
 */
const SERVER_TROUBLE = /^(XX000|58000|58030)$/;
const ENDS_SESSION = new Set<unknown>(['FATAL', 'PANIC']);

const TRANSIENT_SYSTEM_CODE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

const TRANSIENT_NAME = new Set(['CommitUnknown', 'NotPrimary', 'QueryTimeout']);

/** pg gives these no code. */
const TRANSIENT_MESSAGE =
  /^(Connection terminated|timeout e(xceeded when trying to connect|xpired)|Query read timeout|Client (has encountered a connection error|was closed))/;

/**
 * True when the store could not be reached, was not ready or left the outcome open: the same append may be tried again,
 * since it is idempotent. A conflict, a diverged log, a lost shard or a refused value is not transient.
 */
export function isTransientStoreError(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, severity, message, name, cause } = error as {
    code?: unknown;
    severity?: unknown;
    message?: unknown;
    name?: unknown;
    cause?: unknown;
  };
  if (typeof code === 'string') {
    const endsSession = ENDS_SESSION.has(severity) && SERVER_TROUBLE.test(code);
    return endsSession || TRANSIENT_SQL_STATE.test(code) || TRANSIENT_SYSTEM_CODE.has(code);
  }
  if (typeof name === 'string' && TRANSIENT_NAME.has(name)) return true;
  if (typeof message === 'string' && TRANSIENT_MESSAGE.test(message)) return true;
  return cause !== undefined && isTransientStoreError(cause);
}
