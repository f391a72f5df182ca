import { EmittedVersions, inputId, type AnyEvent, type VersionsByType } from '@moon/events';
import { bootstrapEvents, type BootstrapOptions, type PlatformConfig } from '@moon/domain';
import { canonicalHash, executionState, type Engine } from '@moon/kernel';

export interface SettingsOptions {
  /** The shard that takes them. */
  shard: string;
  codeVersion: string;
  platform: PlatformConfig;
  emitted: EmittedVersions;
  /** Run time, ms. */
  at: number;
  headers: AnyEvent['headers'];
  /** Where the shard's journal ends: settings that come back at the same instant are activated anew. */
  seq: number;
  /** The last `config.activated` of this shard. */
  last: AnyEvent | null;
}

type Values = Extract<AnyEvent, { type: 'config.activated' }>['data']['values'];

/** What decides what a shard does with its inputs. Versions are named only where they are not the newest. */
export function settingsValues({ platform, emitted }: Pick<SettingsOptions, 'platform' | 'emitted'>): Values {
  const { pinned: emit } = emitted;
  return { platform, ...(Object.keys(emit).length > 0 && { emit }) } as unknown as Values;
}

/** The settings that an event activated. @throws VersionUnknown this code cannot emit what they ask for */
export function settingsOf(values: Values): { platform: PlatformConfig; emitted: EmittedVersions } {
  const { platform, emit = {} } = values as unknown as { platform: PlatformConfig; emit?: VersionsByType };
  return { platform, emitted: new EmittedVersions(emit) };
}

/** The settings as an input of a shard (rule 8): whenever they, or the code, are new to it. */
export function settingsEvents(options: SettingsOptions): AnyEvent[] {
  const { shard, codeVersion, at, seq, headers, last } = options;
  const values = settingsValues(options);
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
