import { inputId, type AnyEvent } from '@moon/events';
import { bootstrapEvents, type BootstrapOptions, type PlatformConfig } from '@moon/domain';
import { canonicalHash, executionState, type Engine } from '@moon/kernel';

export interface SettingsOptions {
  /** The shard that takes them. */
  shard: string;
  codeVersion: string;
  platform: PlatformConfig;
  /** Run time, ms. */
  at: number;
  headers: AnyEvent['headers'];
  /** Where the shard's journal ends: settings that come back at the same instant are activated anew. */
  seq: number;
  /** The last `config.activated` of this shard. */
  last: AnyEvent | null;
}

/** The settings as an input of a shard (rule 8): whenever they, or the code, are new to it. */
export function settingsEvents({ shard, codeVersion, platform, at, seq, headers, last }: SettingsOptions): AnyEvent[] {
  const values = { platform } as unknown as Extract<AnyEvent, { type: 'config.activated' }>['data']['values'];
  const isKnown =
    last?.type === 'config.activated' &&
    last.data.codeVersion === codeVersion &&
    canonicalHash(last.data.values) === canonicalHash(values);
  if (isKnown) return [];
  const id = inputId({
    source: 'config',
    kind: 'config.activated',
    instrument: shard,
    venueTime: at,
    values: [codeVersion, canonicalHash(values), seq],
  });
  return [
    {
      ...{ id, type: 'config.activated', schemaVersion: 1, source: 'bootstrap', key: 'system', occurredAt: at },
      ...{ correlationId: id, causationId: null, headers },
      data: { event_type: 'config.activated', runId: shard, codeVersion, values, timestamp: at },
    },
  ];
}

/** What opens the portfolios of a shard that are not open yet. */
export function portfolioEvents(
  engine: Engine,
  platform: PlatformConfig,
  about: Pick<BootstrapOptions, 'at' | 'headers' | 'feedInstruments'> & { shard: string },
): AnyEvent[] {
  const isNew = ({ name }: { name: string }): boolean => (executionState(engine, name)?.portfolio ?? null) === null;
  const portfolios = platform.portfolios.filter(isNew);
  return portfolios.length === 0 ? [] : bootstrapEvents({ ...about, portfolios });
}
