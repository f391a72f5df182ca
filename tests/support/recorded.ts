import { Value } from '@sinclair/typebox/value';
import type { AnyEvent } from '@moon/events';
import { instrumentForFeed, minuteQuoteVolume, platformConfigSchema, type PlatformConfig } from '@moon/domain';
import { MarketFileSource } from '@moon/infra';
import type { ReplayOptions } from '@moon/backtesting';

/** A whole platform configuration from a part of one. */
export function platformConfig(part: Record<string, unknown>): PlatformConfig {
  const whole = Value.Default(platformConfigSchema, structuredClone(part));
  const problem = Value.Errors(platformConfigSchema, whole).First();
  if (problem) throw new Error(`${problem.path}: ${problem.message}`);
  return whole as PlatformConfig;
}

/** Files as the inputs of a replay or recorded run. */
export async function recordedInputs(
  paths: readonly string[],
  range: { from?: string; to?: string; warmupMs?: number } = {},
): Promise<MarketFileSource> {
  return MarketFileSource.open({
    files: paths.map((path) => ({ path })),
    resolve: (venue, symbol) => {
      const instrument = instrumentForFeed(venue, symbol);
      if (!instrument) throw new Error(`${symbol} of ${venue} is not known.`);
      return {
        instrument: instrument.id,
        token: instrument.token,
        fundingIntervalHours: instrument.fundingIntervalHours,
      };
    },
    minuteVolume: minuteQuoteVolume,
    headers: { mode: 'recorded' },
    ...(range.from === undefined ? {} : { from: Date.parse(range.from) }),
    ...(range.warmupMs === undefined ? {} : { warmupMs: range.warmupMs }),
    ...(range.to === undefined ? {} : { to: Date.parse(range.to) }),
  });
}

/** Everything that a replay of these inputs takes. */
export function replayOptions(source: MarketFileSource, platform: PlatformConfig): ReplayOptions {
  return {
    platform,
    source,
    feedInstruments: source.instruments,
    fundingInstruments: source.instrumentsOf('funding'),
    startsAt: source.startsAt,
    modelLatency: { minMs: 100, maxMs: 300 },
    orderTimeToLiveMs: 15_000,
    refusedByReason: source.refusedByReason,
  };
}

/** Ids of all events by key, in order: what two runs of one input agree on. Operational and system events stand outside (rule 5). */
export class IdsByKey {
  readonly ids: Record<string, string[]> = {};

  add = (event: AnyEvent): void => {
    if (event.key === 'system') return;
    (this.ids[event.key] ??= []).push(event.id);
  };
}
