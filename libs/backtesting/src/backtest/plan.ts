import { Value } from '@sinclair/typebox/value';
import {
  findInstrument,
  fromNumber,
  INSTRUMENTS,
  isZero,
  portfolioSettingsSchema,
  priceSourceOf,
  SWITCHABLE_AGENTS,
  type PlatformConfig,
  type PortfolioSettings,
} from '@moon/domain';
import { nearestName } from '@moon/kernel';
import type { VenueConfig } from '../venue';
import { BacktestRefused, type BacktestConfig } from './config';

/** A backtest in every detail: what `replay` is given. */
export interface BacktestPlan {
  platform: PlatformConfig;
  venue: VenueConfig;
  /** Instrument that is bought and held for comparison; null when nothing is traded. */
  benchmark: string | null;
}

/** First instant and end (exclusive) of a range, epoch ms; null = as far as the data go. */
export interface Range {
  from: number | null;
  to: number | null;
}

/** @throws BacktestRefused for an instant that is none, and for a range that ends before it begins */
export function rangeOf({ range }: Pick<BacktestConfig, 'range'>): Range {
  const from = instantOf(range.start, 'range.start');
  const to = instantOf(range.end, 'range.end');
  if (from !== null && to !== null && from >= to)
    throw new BacktestRefused(
      `The range ends (${iso(to)}) before it begins (${iso(from)}): range.start must be earlier than range.end.`,
    );
  return { from, to };
}

function instantOf(value: string | number | undefined, name: string): number | null {
  if (value === undefined) return null;
  const at = typeof value === 'number' ? value : /^\d{12,}$/.test(value) ? Number(value) : Date.parse(zoned(value));
  if (Number.isNaN(at))
    throw new BacktestRefused(
      `${name} "${value}" is no instant: write it as 2022-01-31, 2022-01-31T12:00:00Z, or epoch milliseconds.`,
    );
  return at;
}

/** Days are UTC (rule 14): a time without a zone is one of UTC, too. */
function zoned(text: string): string {
  return /T\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text) ? `${text}Z` : text;
}

const iso = (at: number): string => new Date(at).toISOString().replace('.000Z', 'Z');

/** @throws BacktestRefused when the range and the data have nothing in common */
export function assertCovered(range: Range, data: { firstAt: number | null; lastAt: number | null }): void {
  const { firstAt, lastAt } = data;
  if (firstAt === null || lastAt === null) throw new BacktestRefused('The data hold no usable row.');
  const isCovered = (range.to === null || firstAt < range.to) && (range.from === null || lastAt > range.from);
  if (isCovered) return;
  const asked = `${range.from === null ? '…' : iso(range.from)} to ${range.to === null ? '…' : iso(range.to)}`;
  throw new BacktestRefused(`The range ${asked} has no data: they run from ${iso(firstAt)} to ${iso(lastAt)}.`);
}

/**
 * Expands the short forms to the platform's configuration.
 *
 * @param priced instruments that the data price, in their order
 * @throws BacktestRefused for an agent or instrument that is not known, and for a portfolio without money
 */
export function planOf(config: BacktestConfig, priced: readonly string[]): BacktestPlan {
  const portfolios = config.portfolios ?? [onePortfolio(config, priced)];
  if (config.portfolios) refuseShortForms(config);
  for (const portfolio of portfolios) checkPortfolio(portfolio, priced);
  const platform: PlatformConfig = {
    ...config.platform,
    portfolios,
    switchedOff: [...new Set([...config.platform.switchedOff, ...agentsLeftOut(config)])],
  };
  const traded = portfolios[0]?.instruments[0]?.instrument;
  const first = traded === undefined ? null : priceSourceOf(traded, undefined, priced);
  return {
    platform,
    venue: { ...config.venue, seed: `${config.venue.seed}-${config.seed}` },
    benchmark: benchmarkOf(config, priced) ?? first,
  };
}

const SHORT_FORMS = [
  ...['instruments', 'initialBalance', 'accountModel', 'marginMode', 'leverage', 'settlementAsset', 'sizing', 'limits'],
] as const;

function refuseShortForms(config: BacktestConfig): void {
  const given = SHORT_FORMS.filter((name) => config[name as keyof BacktestConfig] !== undefined);
  if (given.length === 0) return;
  throw new BacktestRefused(
    `"portfolios" says everything about the portfolios; ${given.map((name) => `"${name}"`).join(', ')} beside it would be ignored. Leave one of them out.`,
  );
}

function onePortfolio(config: BacktestConfig, priced: readonly string[]): PortfolioSettings {
  const ids = config.instruments ?? priced;
  if (ids.length === 0) throw new BacktestRefused('The data price no instrument: there is nothing to trade.');
  const known = ids.map((id) => knownInstrument(id, priced));
  const isSpot = known.every(({ kind }) => kind === 'spot');
  const leverage = config.leverage ?? 1;
  const balance = config.initialBalance ?? '100000';
  const portfolio = {
    name: 'main',
    accountModel: config.accountModel ?? (isSpot ? 'cash' : 'margin'),
    ...(config.marginMode !== undefined && { marginMode: config.marginMode }),
    settlementAsset: config.settlementAsset ?? known[0]?.settlement ?? 'USDC',
    deposit: typeof balance === 'number' ? fromNumber(balance) : balance,
    instruments: ids.map((instrument) => ({ instrument, leverage })),
    ...(config.sizing !== undefined && { sizing: config.sizing }),
    ...(config.limits !== undefined && { limits: config.limits }),
  };
  return Value.Default(portfolioSettingsSchema, portfolio) as PortfolioSettings;
}

function checkPortfolio({ name, deposit, instruments }: PortfolioSettings, priced: readonly string[]): void {
  if (isZero(deposit))
    throw new BacktestRefused(
      `Portfolio "${name}" starts with a balance of 0: give it money to trade with (initialBalance).`,
    );
  for (const { instrument, priceSource } of instruments) {
    knownInstrument(instrument, priced);
    const source = priceSourceOf(instrument, priceSource, priced);
    if (!priced.includes(source)) refuseUnpriced(instrument, source, priced);
  }
}

function knownInstrument(id: string, priced: readonly string[]): NonNullable<ReturnType<typeof findInstrument>> {
  const instrument = findInstrument(id);
  if (instrument) return instrument;
  const nearest = nearestName(id, [...priced, ...INSTRUMENTS.map((known) => known.id)]);
  const hint =
    nearest === null
      ? 'Instruments are named SYMBOL.VENUE, e.g. BTC.HYPERLIQUID or BTCUSDT.BINANCE-SPOT.'
      : `Did you mean "${nearest}"?`;
  throw new BacktestRefused(`There is no instrument "${id}". ${hint}`);
}

function refuseUnpriced(instrument: string, source: string, priced: readonly string[]): never {
  const nearest = nearestName(source, priced);
  throw new BacktestRefused(
    `The data hold no prices for ${instrument}${source === instrument ? '' : ` (priced by ${source})`}; ` +
      `they price ${priced.slice(0, 8).join(', ') || 'nothing'}.${nearest === null ? '' : ` Did you mean "${nearest}"?`}`,
  );
}

function benchmarkOf({ benchmark }: BacktestConfig, priced: readonly string[]): string | null {
  if (benchmark === undefined) return null;
  knownInstrument(benchmark, priced);
  if (!priced.includes(benchmark)) refuseUnpriced(benchmark, benchmark, priced);
  return benchmark;
}

const PREFIX = 'agent/';

/** The platform's own agents that a list of those who take part leaves out. */
function agentsLeftOut({ agents }: BacktestConfig): PlatformConfig['switchedOff'] {
  if (agents === undefined) return [];
  const names = SWITCHABLE_AGENTS.map((agent) => agent.slice(PREFIX.length));
  for (const agent of agents) {
    if (names.includes(agent)) continue;
    const nearest = nearestName(agent, names);
    throw new BacktestRefused(
      `There is no agent "${agent}". ${nearest === null ? `Agents: ${names.join(', ')}; your own go under "strategies".` : `Did you mean "${nearest}"?`}`,
    );
  }
  return SWITCHABLE_AGENTS.filter((agent) => !agents.includes(agent.slice(PREFIX.length)));
}
