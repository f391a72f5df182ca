/** The command was called wrongly: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command could not do what was asked, for a reason that the message says whole: exit code 1. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

const CONNECTION = /ECONNREFUSED|ECONNRESET|terminating connection|Connection terminated|shutting down/i;

/** Whether the database went away, as it does when the platform stops. */
export function isConnectionLost(error: unknown): boolean {
  const { code = '', message = '', name } = error as { code?: string; message?: string; name?: string };
  // Brokers that refuse a connection say so themselves.
  if (name === 'KafkaUnavailable') return false;
  return CONNECTION.test(`${code} ${message}`);
}

/** One sentence for the user, whatever was thrown. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isConnectionLost(error))
    return 'The connection to the event store was lost: the platform, or its database, has stopped.';
  const { code } = error as { code?: string };
  return error.message === '' ? `Failed: ${code ?? error.name}.` : error.message;
}
