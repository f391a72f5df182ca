import type { Command } from 'commander';
import { withCluster } from '../../cluster/read-log';
import { addClusterOptions, isCluster, type ClusterOptions } from '../../cluster/settings';
import { CommandFailed, UsageError } from '../../errors';
import { causeOf } from '../../output/describe-trading';
import type { Io } from '../../io';
import { patienceOf } from '../../operator/ask-cluster';
import { assertCanAsk } from '../../operator/ask-platform';
import { GLOBAL, type HaltInForce } from '../../store/halts-in-force';
import { chooseRun, withRunLog } from '../../store/run-log';
import { withStore } from '../../store/store';
import { knownPortfolio } from '../portfolio/portfolio.command';
import { portfolioNames } from '../portfolio/read-portfolio';
import { clusterDesk } from './cluster-desk';
import { nameOfScope, OPERATOR, type HaltDesk, type HaltResult } from './desk';
import { runDesk } from './run-desk';

interface Options extends ClusterOptions {
  portfolio?: string;
  global?: boolean;
  reason?: string;
  wait?: string;
}

const LONGEST_REASON = 200;
const WAIT = 'with --cluster: how long the deployment may take (default: 15)';

export function addHaltCommands(program: Command, io: Io): void {
  const halting = program
    .command('halt')
    .description('stops the trading of a portfolio, or of all; orders that only reduce still pass')
    .option('--portfolio <name>', 'the portfolio')
    .option('--global', 'all portfolios')
    .option('--reason <text>', 'why, required; the halt is lifted by the same reason')
    .option('--wait <seconds>', WAIT)
    .action((_options, command: Command) => act(io, 'halt', command.optsWithGlobals<Options>()));
  const lifting = program
    .command('lift')
    .description('lifts halts that operators raised; other sources lift their own')
    .option('--portfolio <name>', 'the portfolio')
    .option('--global', 'the halts of all portfolios')
    .option('--reason <text>', 'only the halt with this reason (default: every halt of an operator)')
    .option('--wait <seconds>', WAIT)
    .action((_options, command: Command) => act(io, 'lift', command.optsWithGlobals<Options>()));
  for (const one of [halting, lifting]) addClusterOptions(one);
}

async function act(io: Io, command: 'halt' | 'lift', options: Options): Promise<void> {
  const { portfolio, global, reason } = options;
  if ((portfolio === undefined) === (global !== true))
    throw new UsageError('Give either --portfolio NAME or --global.');
  if (reason !== undefined && (reason.trim() === '' || reason.length > LONGEST_REASON)) {
    throw new UsageError(`--reason must have 1 to ${LONGEST_REASON} characters.`);
  }
  // Not Commander's business, which would call it missing before it named one that is misspelt.
  if (command === 'halt' && reason === undefined) throw new UsageError('Give --reason TEXT: why it is halted.');
  await atDesk(io, command, options, async (desk) => {
    const key = portfolio === undefined ? GLOBAL : knownPortfolio(await portfolioNames(desk.events), portfolio);
    const results = command === 'halt' ? await halt(desk, key, reason!) : await lift(desk, key, reason);
    if (options.json) io.out(JSON.stringify({ run: desk.name, command, scope: key, requests: results }));
    else for (const { message } of results) io.out(message);
  });
}

async function atDesk(
  io: Io,
  command: 'halt' | 'lift',
  options: Options,
  work: (desk: HaltDesk) => Promise<void>,
): Promise<void> {
  if (isCluster(options)) {
    const patience = patienceOf(options.wait, io.signal);
    return withCluster(io, options, (view) => work(clusterDesk(view, patience)));
  }
  return withStore(io, { global: options, command: `moon ${command}` }, async (store) => {
    const run = await chooseRun(store, options.run);
    assertCanAsk(run);
    await withRunLog(store, run, (log) => work(runDesk(store, log)));
  });
}

async function halt(desk: HaltDesk, key: string, reason: string): Promise<HaltResult[]> {
  if (await desk.stands(key, reason)) {
    return [{ reason, message: `${nameOfScope(key)} is halted by an operator for "${reason}" already.` }];
  }
  return [await desk.ask('halt', key, reason)];
}

async function lift(desk: HaltDesk, key: string, reason: string | undefined): Promise<HaltResult[]> {
  const inForceNow: readonly HaltInForce[] = await desk.halts(key);
  const lifted = inForceNow.filter(
    (known) => known.source === OPERATOR && (reason === undefined || known.reason === reason),
  );
  if (lifted.length === 0) {
    const others = inForceNow.map((known) => causeOf(known.source, known.reason));
    const inForce =
      others.length === 0 ? 'No halt is in force.' : `In force: ${others.join('; ')}. Each source lifts its own.`;
    throw new CommandFailed(
      `${nameOfScope(key)} has no operator's halt${reason === undefined ? '' : ` for "${reason}"`}. ${inForce}`,
    );
  }
  const results: HaltResult[] = [];
  for (const known of lifted) results.push(await desk.ask('lift', key, known.reason));
  return results;
}
