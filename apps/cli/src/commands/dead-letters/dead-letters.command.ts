import type { Command } from 'commander';
import { addClusterOptions, isCluster, type ClusterOptions } from '../../cluster/settings';
import type { Io } from '../../io';
import { eventJson, eventLine } from '../../output/event-line';
import { table } from '../../output/table';
import { clock, cut, plural, shortId } from '../../output/text';
import { chooseRun, withRunLog, type RunLog } from '../../store/run-log';
import { withStore, type Store } from '../../store/store';
import { listClusterLetters, replayClusterLetter, showClusterLetter } from './cluster-letters';
import { findLetter, readLetters } from './letters';
import { replayLetter } from './replay';

type Options = ClusterOptions & { handler?: string };

export function addDeadLettersCommand(program: Command, io: Io): void {
  const command = program
    .command('dead-letters')
    .description(
      'events that an agent gave up, and keys that stand still at an event: shows them, delivers them again',
    );
  const listing = command
    .command('list', { isDefault: true })
    .description('lists what waits for an operator')
    .action((_options, self: Command) => {
      const cluster = clusterOf(self);
      return cluster
        ? listClusterLetters(io, cluster)
        : onLog(io, self, (log, _store, options) => list(io, log, options));
    });
  const showing = command
    .command('show')
    .description('shows the event itself, and why it was given up')
    .argument('<id>', 'id of the event, or its first digits; of a message, GROUP/OFFSET')
    .option('--handler <name>', 'the handler, when several gave the event up')
    .action((id: string, _options, self: Command) => {
      const cluster = clusterOf(self);
      return cluster
        ? showClusterLetter(io, id, cluster)
        : onLog(io, self, (log, _store, options) => show(io, log, id, options));
    });
  const replaying = command
    .command('replay')
    .description('has the event delivered again, or lets the key go on; when no platform runs, at its next start')
    .argument('<id>', 'id of the event, or its first digits; of a message, GROUP/OFFSET')
    .option('--handler <name>', 'the handler, when several gave the event up')
    .option('--wait <seconds>', 'with --cluster: how long the deployment may take (default: 15)')
    .action((id: string, _options, self: Command) => {
      const cluster = clusterOf(self);
      return cluster
        ? replayClusterLetter(io, id, cluster)
        : onLog(io, self, (log, store, options) => replay(io, { log, store, options }, id));
    });
  for (const one of [listing, showing, replaying]) addClusterOptions(one);
}

function clusterOf(self: Command): Options | null {
  const options = self.optsWithGlobals<Options>();
  return isCluster(options) ? options : null;
}

async function onLog(
  io: Io,
  command: Command,
  work: (log: RunLog, store: Store, options: Options) => Promise<void>,
): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  await withStore(io, { global: options, command: `moon dead-letters ${command.name()}` }, async (store) => {
    const run = await chooseRun(store, options.run);
    await withRunLog(store, run, (log) => work(log, store, options));
  });
}

async function list(io: Io, log: RunLog, options: Options): Promise<void> {
  const letters = await readLetters(log);
  if (options.json) {
    io.out(JSON.stringify({ run: log.run.runId, letters }));
    return;
  }
  const rows = letters.map(({ eventId, kind, handler, handlerKey, since, reason, error }) => [
    shortId(eventId),
    kind,
    handler,
    handlerKey,
    clock(since),
    `${reason}: ${cut(error, 80)}`,
  ]);
  const columns = ['event', 'kind', 'handler', 'key', 'since', 'reason'].map((title) => ({ title }));
  if (rows.length > 0) for (const line of table(columns, rows)) io.out(line);
  io.err(`Run ${log.run.runId}: ${plural(letters.length, 'event')} waiting for an operator.`);
}

async function show(io: Io, log: RunLog, id: string, options: Options): Promise<void> {
  const letter = findLetter(await readLetters(log), id, options.handler);
  const [row] = (await log.events.query({ eventId: letter.eventId, limit: 1 })).rows;
  if (options.json) {
    io.out(JSON.stringify({ run: log.run.runId, ...letter, event: row?.event ?? null }));
    return;
  }
  const { handler, handlerKey, kind, since, reason, error } = letter;
  io.out(
    `${handler}/${handlerKey} ${kind === 'parked' ? 'stands still since' : 'gave it up at'} ${clock(since)} (${reason})`,
  );
  io.out(`error  ${error}`);
  if (!row) {
    io.out(`event  ${letter.eventId} is no longer in the log`);
    return;
  }
  io.out(`event  ${eventLine(row)}`);
  io.out(JSON.stringify(JSON.parse(eventJson(row)), null, 2));
}

interface Context {
  log: RunLog;
  store: Store;
  options: Options;
}

async function replay(io: Io, { log, store, options }: Context, id: string): Promise<void> {
  const letter = findLetter(await readLetters(log), id, options.handler);
  const answer = await replayLetter(store, log, letter);
  if (options.json) io.out(JSON.stringify({ run: log.run.runId, ...letter, ...answer }));
  else io.out(answer.message);
}
