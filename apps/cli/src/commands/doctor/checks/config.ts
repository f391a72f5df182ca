import { resolve } from 'node:path';
import { standaloneConfigSchema } from '@moon/app-standalone';
import { bootstrapEvents, decideOpen, isRefused, resolveLimits } from '@moon/domain';
import type { EventData } from '@moon/events';
import { ConfigError, loadConfig } from '@moon/infra';
import type { Io } from '../../../io';
import { messageOf, ok, wrong, type Finding } from '../finding';

export interface CheckedConfig {
  findings: Finding[];
  /** HTTP port of the platform; the default when the configuration cannot be used. */
  port: number;
  /** Data directory that the configuration names; undefined when it names none. */
  dataDir: string | undefined;
}

const DEFAULT_PORT = 3000;
const DEFAULT_DATA_DIR = '.moon';
const MEND = 'Correct the setting, in the file or the environment variable that is named. "npm start" refuses it, too.';

/** Reads the configuration by the schema of `npm start`, and tries whether its portfolios could be opened. */
export function checkConfig({ cwd, env }: Pick<Io, 'cwd' | 'env'>, file: string | undefined): CheckedConfig {
  const path = file === undefined ? env.MOON_CONFIG : resolve(cwd, file);
  try {
    const config = loadConfig(standaloneConfigSchema, { env, ...(path !== undefined && { file: path }) });
    const problems = portfolioProblems(config);
    const origin = path === undefined ? 'defaults and environment' : path;
    const good = ok(
      'configuration',
      `${origin}: ${config.platform.portfolios.length} portfolio(s), feed ${config.feed.kind}.`,
    );
    const findings = problems.length === 0 ? [good] : problems.map((problem) => wrong('configuration', problem, MEND));
    return {
      findings,
      port: config.port,
      dataDir: config.dataDir === DEFAULT_DATA_DIR ? undefined : resolve(cwd, config.dataDir),
    };
  } catch (error) {
    const problems = error instanceof ConfigError ? error.problems : [messageOf(error)];
    return {
      findings: problems.map((problem) => wrong('configuration', problem, MEND)),
      port: DEFAULT_PORT,
      dataDir: undefined,
    };
  }
}

type Config = ReturnType<typeof loadConfig<typeof standaloneConfigSchema>>;

/** What the schema cannot tell: unknown instruments, leverages, limits, names that come twice. */
function portfolioProblems({ platform }: Config): string[] {
  const { portfolios } = platform;
  const names = portfolios.map(({ name }) => name);
  const twice = names
    .filter((name, index) => names.indexOf(name) !== index)
    .map((name) => `There are two portfolios called "${name}".`);
  return [...twice, ...portfolios.flatMap((portfolio) => attempt(() => openingProblem(platform, portfolio)))];
}

function openingProblem(
  platform: Config['platform'],
  portfolio: Config['platform']['portfolios'][number],
): string | null {
  resolveLimits(portfolio.name, platform.execution.limits, portfolio.limits);
  const events = bootstrapEvents({ at: Date.now(), portfolios: [portfolio], feedInstruments: [], headers: {} });
  const opening = events.find(({ type }) => type === 'portfolio.opened');
  const decision = decideOpen(undefined, opening?.data as EventData<'portfolio.opened'>);
  return isRefused(decision) ? decision.refused.message : null;
}

function attempt(work: () => string | null): string[] {
  try {
    const problem = work();
    return problem === null ? [] : [problem];
  } catch (error) {
    return [messageOf(error)];
  }
}
