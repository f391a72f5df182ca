import pino, { type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

export interface LoggerOptions {
  level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Default: standard error, so that standard output stays for results. */
  destination?: DestinationStream;
}

/** Field names whose values never reach a log, at any of the first three depths. */
const SECRETS = [
  'password',
  'ownerPassword',
  'appPassword',
  'signature',
  'signingKey',
  'privateKey',
  'apiKey',
  'secret',
  'bearerToken',
  'authorization',
  'connectionString',
];
const CREDENTIAL_PATHS = SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/** Structured JSON logs with redaction. `correlationId` belongs in every line about an event. */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      base: { app: 'moon' },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: CREDENTIAL_PATHS, censor: '[redacted]' },
    },
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  );
}
