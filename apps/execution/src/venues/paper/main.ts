import { parseArgs } from 'node:util';
import type { VenueFaults } from './faults';
import { PaperVenue } from './paper-venue';
import { PaperVenueServer } from './server';
import { venueConfigOf } from './venue-config';

const USAGE = `The paper venue as a process of its own.

  --host ADDRESS         address to listen on (127.0.0.1)
  --port N               its port; 0 (default) = any free one, printed as {"listening":N}
  --data-dir DIR         folder of durable books; without it they are lost when the process ends
  --config FILE          configuration (JSON, see venueConfigSchema); with --cluster the settings of the processes
  --cluster              prices and charges as the settings of a deployment's processes say: --config, MOON_…, --set
  --set NAME=VALUE       with --cluster: any setting of the processes, repeatable
  --snapshot-every N     inputs from one snapshot to the next (20000)
  --slow-ms N            every answer to an order, cancellation or query comes N ms late
  --answer-delay-ms N    the answer to an accepted order comes N ms late; each acceptance is printed at once as {"accepted":ID}
  --timeout-next N       the next N orders are accepted and not answered
  --reject-next N        the next N orders are turned down
  --reject-code CODE     with this code
`;

const stdout = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const stderr = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '0' },
      'data-dir': { type: 'string' },
      config: { type: 'string' },
      cluster: { type: 'boolean', default: false },
      set: { type: 'string', multiple: true, default: [] },
      'snapshot-every': { type: 'string' },
      'slow-ms': { type: 'string' },
      'answer-delay-ms': { type: 'string' },
      'timeout-next': { type: 'string' },
      'reject-next': { type: 'string' },
      'reject-code': { type: 'string' },
    },
  });
  if (values.help) return void process.stdout.write(USAGE);
  const number = (name: Exclude<keyof typeof values, 'set'>, fallback: number): number => {
    const given = values[name];
    if (given === undefined) return fallback;
    const value = Number(given);
    if (!Number.isSafeInteger(value) || value < 0)
      throw new Error(`--${name} must be a whole number of at least 0; it is "${String(given)}".`);
    return value;
  };
  const venue = new PaperVenue({
    config: await venueConfigOf(values, process.env),
    ...(values['data-dir'] === undefined ? {} : { directory: values['data-dir'] }),
    snapshotEvery: number('snapshot-every', 20_000),
    announce: (clientOrderId) => stdout({ accepted: clientOrderId }),
    notice: stderr,
  });
  const faults: Partial<VenueFaults> = {
    slowMs: number('slow-ms', 0),
    answerDelayMs: number('answer-delay-ms', 0),
    announceAccepted: values['answer-delay-ms'] !== undefined,
    timeoutNext: number('timeout-next', 0),
    rejectNext: number('reject-next', 0),
  };
  if (values['reject-code'] !== undefined) faults.rejectCode = values['reject-code'];
  venue.setFaults(faults);
  const server = new PaperVenueServer({ venue, notice: stderr });
  const end = (): void => {
    // Answers that are held back by a fault must not keep the process.
    server.close().then(
      () => process.exit(0),
      (error: unknown) => {
        stderr(`The venue did not end well: ${String(error)}`);
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  stdout({ listening: await server.listen(number('port', 0), values.host) });
}

main().catch((error: unknown) => {
  stderr(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
