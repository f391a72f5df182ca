import { platformConfigSchema, type PlatformConfig } from '@moon/domain';
import { EmittedVersions, type AnyEvent } from '@moon/events';
import { ProcessMetrics } from '@moon/infra';
import { groupPlans, VenueRefused, VenueTimeout, VolatileLog, type ShardWiring, type VenuePort } from '@moon/kernel';
import { Value } from '@sinclair/typebox/value';
import { T0, tick } from '../../kernel/src/testing/venue-desk';
import { clusterConfigSchema, type ClusterConfig } from './config';
import type { Connections } from './connections';
import { executionSpec } from './shard-specs';

const BTC = 'BTC.HYPERLIQUID';
const platform = Value.Default(platformConfigSchema, {
  portfolios: ['mine', 'other'].map((name) => ({ name, instruments: [{ instrument: BTC, leverage: 2 }] })),
}) as PlatformConfig;

/** A shard of execution that owns `mine` of two portfolios, at this venue. */
function shardAt(venue: Partial<VenuePort>) {
  const config = { ...(Value.Default(clusterConfigSchema, {}) as ClusterConfig), platform };
  const connections = {
    ...{ config, clock: { now: () => T0 }, emitted: new EmittedVersions({}) },
    logger: { warn: () => undefined },
    metrics: new ProcessMetrics('execution'),
  } as unknown as Connections;
  const plan = groupPlans(platform).find(({ effects }) => effects === 'venue')!;
  const ownsKey = (key: string): boolean => key === 'mine';
  const port = { name: 'paper', openAccount: () => undefined, reportsSince: () => [], ...venue } as VenuePort;
  const spec = executionSpec({ plan, connections, codeVersion: 'c' }, 0, { venue: port, gate: null, ownsKey });
  const wiring = { log: new VolatileLog(), onRequest: () => undefined } as unknown as ShardWiring;
  return { spec, engine: spec.createEngine(wiring, { platform: spec.platform, emitted: connections.emitted }) };
}

describe('a shard of execution', () => {
  it('[EXE-4] takes in what the venue reports of its own portfolios alone', async () => {
    const report = (portfolio: string) => ({
      ...{ venue: 'paper', venueSeq: 1, reportId: `${portfolio}-1`, portfolio, kind: 'margin_call', timestamp: T0 },
    });
    const { spec } = shardAt({ market: () => ['other', 'mine'].map(report) as never });
    const events = await spec.venue!.market(tick(BTC, 0, 100));
    expect(events.map(({ key }) => key)).toEqual(['mine']);
  });

  it('[EXE-5] ends by a comparison that its venue refuses, alone, and not once it was let go of', async () => {
    for (const isClosed of [false, true]) {
      const answers = [new VenueTimeout('No answer.'), new VenueRefused('unknown_account', 'No such account.')];
      const { spec, engine } = shardAt({ books: () => Promise.reject(answers.shift()!) });
      for (const event of await spec.begin(engine, null)) engine.input(event);
      engine.drain();
      const ends: string[] = [];
      jest.useFakeTimers();
      try {
        await spec.onLive!(
          engine,
          (event: AnyEvent) => void engine.input(event),
          ({ message }) => ends.push(message),
        );
        jest.advanceTimersByTime(500);
        if (isClosed) spec.onClose!();
        await jest.advanceTimersByTimeAsync(1);
      } finally {
        jest.useRealTimers();
        spec.onClose!();
      }
      expect([answers.length, ends]).toEqual([0, isClosed ? [] : ['No such account.']]);
    }
  });
});
