import { paperSigner } from '@moon/backtesting';
import { PaperVenue } from '@moon/app-execution';
import { testEvent, type PlatformConfig } from '@moon/domain';
import {
  assemble,
  closePast,
  LogWriter,
  MemoryEventStore,
  recover,
  startEvents,
  VenueLink,
  type AssembleOptions,
} from '@moon/kernel';
import { platformConfig } from '../support/recorded';

const T0 = 1_640_995_200_000;
const headers = { mode: 'live' } as const;

const withVoters = (...agents: string[]): PlatformConfig =>
  platformConfig({
    portfolios: [{ name: 'main' }],
    consensus: { voters: agents.map((agent) => ({ agent, weight: 1 })) },
  });

function wiring(config: PlatformConfig): Omit<AssembleOptions, 'log' | 'onRequest'> {
  return {
    ...{ config, headers, sign: paperSigner.sign, nextNonce: () => 1, modelLatency: { minMs: 1, maxMs: 1 } },
    ...{ orderTimeToLiveMs: 15_000, venueRetryMs: 0, link: new VenueLink(new PaperVenue(), headers, false) },
  };
}

describe('a restart with other settings (rules 1 and 8)', () => {
  it('does not decide the past again: the log is closed under the settings that it names', async () => {
    const [old, fresh] = [withVoters('trading_agent', 'funding_agent'), withVoters('trading_agent', 'chart_agent')];
    const store = new MemoryEventStore();
    const log = new LogWriter(store, 0);
    const engine = assemble({ ...wiring(old), log, onRequest: () => undefined });
    const start = { runId: 'test', codeVersion: '1', platform: old, at: T0, feedInstruments: [], headers };
    for (const event of await startEvents(start, store)) engine.input(event);
    const data = { token: 'BTC', action: 'BUY', score: 90, confidence: 0.9, agent: 'chart_agent' } as const;
    engine.input(testEvent('signal.generated', T0, { ...data, reason: 'a test', timestamp: T0 }, { schemaVersion: 2 }));
    engine.drain();
    await log.durable(engine.lastSeq);
    expect((await store.countsByType())['consensus.opened']).toBeUndefined();

    expect(await closePast({ ...wiring(fresh), store })).toBe(true);
    const after = assemble({
      ...wiring(fresh),
      log: new LogWriter(store, await store.lastSeq()),
      onRequest: () => undefined,
    });
    const { unlogged, rehandled } = await recover({ store, engine: after });
    expect(unlogged.map(({ type }) => type)).toEqual([]);
    expect(rehandled).toBe(0);
    expect((await store.countsByType())['consensus.opened']).toBeUndefined();
    expect(await closePast({ ...wiring(old), store })).toBe(false);
  });
});
