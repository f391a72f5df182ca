import type { Command } from 'commander';
import type { JsonObject } from '@moon/events';
import { CommandFailed, UsageError } from '../../errors';
import { causeOf } from '../../output/describe-trading';
import type { GlobalOptions, Io } from '../../io';
import { assertCanAsk, askPlatform, consequenceOf, type Answer } from '../../operator/ask-platform';
import { GLOBAL, haltsInForce, type HaltInForce } from '../../store/halts-in-force';
import { chooseRun, withRunLog, type RunLog } from '../../store/run-log';
import { withStore, type Store } from '../../store/store';
import { knownPortfolio } from '../portfolio/portfolio.command';
import { portfolioNames } from '../portfolio/read-portfolio';

interface Options extends GlobalOptions {
  portfolio?: string;
  global?: boolean;
  reason?: string;
}

/** Source of the halts that operators raise; an operator lifts no other (rule 18). */
const OPERATOR = 'operator';
const LONGEST_REASON = 200;
/** How long the consequence of a taken request may take to be stored. */
const EFFECT_TIMEOUT_MS = 3_000;

export function addHaltCommands(program: Command, io: Io): void {
  program
    .command('halt')
    .description('stops the trading of a portfolio, or of all; orders that only reduce still pass')
    .option('--portfolio <name>', 'the portfolio')
    .option('--global', 'all portfolios')
    .requiredOption('--reason <text>', 'why; the halt is lifted by the same reason')
    .action((_options, command: Command) => act(io, 'halt', command.optsWithGlobals<Options>()));
  program
    .command('lift')
    .description('lifts halts that operators raised; other sources lift their own')
    .option('--portfolio <name>', 'the portfolio')
    .option('--global', 'the halts of all portfolios')
    .option('--reason <text>', 'only the halt with this reason (default: every halt of an operator)')
    .action((_options, command: Command) => act(io, 'lift', command.optsWithGlobals<Options>()));
}

async function act(io: Io, command: 'halt' | 'lift', options: Options): Promise<void> {
  const { portfolio, global, reason } = options;
  if ((portfolio === undefined) === (global !== true))
    throw new UsageError('Give either --portfolio NAME or --global.');
  if (reason !== undefined && (reason.trim() === '' || reason.length > LONGEST_REASON)) {
    throw new UsageError(`--reason must have 1 to ${LONGEST_REASON} characters.`);
  }
  await withStore(io, { global: options, command: `moon ${command}` }, async (store) => {
    const run = await chooseRun(store, options.run);
    assertCanAsk(run);
    await withRunLog(store, run, async (log) => {
      const key = portfolio === undefined ? GLOBAL : knownPortfolio(await portfolioNames(log.events), portfolio);
      const own = (await haltsInForce(log.events, key)).filter(({ source }) => source === OPERATOR);
      const results =
        command === 'halt' ? await halt(store, log, key, reason!, own) : await lift(store, log, key, reason, own);
      if (options.json) io.out(JSON.stringify({ run: run.runId, command, scope: key, requests: results }));
      else for (const { message } of results) io.out(message);
    });
  });
}

type Result = Partial<Answer> & { reason: string; message: string };

async function halt(
  store: Store,
  log: RunLog,
  key: string,
  reason: string,
  own: readonly HaltInForce[],
): Promise<Result[]> {
  if (own.some((known) => known.reason === reason)) {
    return [{ reason, message: `${nameOf(key)} is halted by an operator for "${reason}" already.` }];
  }
  return [await ask(store, log, 'halt', key, reason)];
}

async function lift(
  store: Store,
  log: RunLog,
  key: string,
  reason: string | undefined,
  own: readonly HaltInForce[],
): Promise<Result[]> {
  const lifted = own.filter((known) => reason === undefined || known.reason === reason);
  if (lifted.length === 0) {
    const others = (await haltsInForce(log.events, key)).map((known) => causeOf(known.source, known.reason));
    const inForce =
      others.length === 0 ? 'No halt is in force.' : `In force: ${others.join('; ')}. Each source lifts its own.`;
    throw new CommandFailed(
      `${nameOf(key)} has no operator's halt${reason === undefined ? '' : ` for "${reason}"`}. ${inForce}`,
    );
  }
  const results: Result[] = [];
  for (const known of lifted) results.push(await ask(store, log, 'lift', key, known.reason));
  return results;
}

async function ask(
  store: Store,
  { run, events }: RunLog,
  command: 'halt' | 'lift',
  key: string,
  reason: string,
): Promise<Result> {
  const asked: JsonObject =
    key === GLOBAL ? { scope: 'global', reason } : { scope: 'portfolio', portfolio: key, reason };
  const answer = await askPlatform(store, run, { command, arguments: asked });
  if (answer.eventId === null) {
    if (store.platformPid !== null) throw new CommandFailed(answer.message);
    return { ...answer, reason };
  }
  const type = command === 'halt' ? 'halt.raised' : 'halt.lifted';
  const effect = await consequenceOf(events, answer.eventId, [type], EFFECT_TIMEOUT_MS);
  const done =
    command === 'halt' ? `${nameOf(key)} is halted: ${reason}.` : `${nameOf(key)}: the halt "${reason}" is lifted.`;
  if (!effect)
    throw new CommandFailed(
      `${answer.message} No ${type} followed within ${EFFECT_TIMEOUT_MS / 1_000} s: see "moon trace ${answer.eventId}".`,
    );
  return { ...answer, reason, message: `${done} ${answer.message}` };
}

function nameOf(key: string): string {
  return key === GLOBAL ? 'Trading of all portfolios' : `Portfolio ${key}`;
}
