import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { paperSigner, replay } from '@moon/backtesting';
import { PaperVenue } from '@moon/app-execution';
import { add, venueSources } from '@moon/domain';
import type { AnyEvent } from '@moon/events';
import {
  assemble,
  MemoryEventStore,
  recover,
  startRecordedRun,
  stateHash,
  VenueLink,
  VolatileLog,
  type RunResult,
} from '@moon/kernel';
import { writeCandles } from '../support/market';
import { IdsByKey, platformConfig, recordedInputs, replayOptions } from '../support/recorded';

const START = Date.UTC(2024, 2, 1);
const PLATFORM = platformConfig({
  portfolios: [
    {
      name: 'main',
      marginMode: 'isolated',
      instruments: [
        { instrument: 'BTC.HYPERLIQUID', leverage: 3 },
        { instrument: 'ETH.HYPERLIQUID', leverage: 3 },
      ],
      positions: [{ instrument: 'BTC.HYPERLIQUID', side: 'long', quantity: '1.5', price: '40000' }],
    },
    {
      name: 'second',
      marginMode: 'cross',
      deposit: '20000',
      instruments: [{ instrument: 'ETH.HYPERLIQUID', leverage: 2 }],
    },
  ],
  consensus: { cooldownMs: 10_000 },
});

/** The recorded run of the local runtime, as `npm start` does it, with a store that outlives it. */
async function recordedRun(
  file: string,
  store: MemoryEventStore,
  books: string,
  stopAfter?: number,
): Promise<{ result: RunResult; isComplete: boolean }> {
  const source = await recordedInputs([file]);
  const options = replayOptions(source, PLATFORM);
  const sources = venueSources(PLATFORM, source.instruments, [], { priceSources: {}, fundingSources: {} });
  let events = 0;
  const venue = new PaperVenue({ config: sources, directory: books });
  const run = await startRecordedRun({
    ...options,
    ...{
      runId: 'test',
      codeVersion: 'test',
      store,
      venue,
      isVenueRemote: false,
      signer: paperSigner,
      speed: null,
      checkpointMs: 50,
    },
    refusedByReason: source.refusedByReason,
    onEvent: () => {
      events += 1;
      if (events === stopAfter) run.stop();
    },
  });
  const ended = await run.run();
  venue.close();
  return ended;
}

/** The state hash of the handlers after a log has been handled again from its beginning. */
async function rehandledHash(store: MemoryEventStore): Promise<string> {
  const link = new VenueLink(new PaperVenue(), { mode: 'recorded' }, false);
  const engine = assemble({
    ...{
      config: PLATFORM,
      log: new VolatileLog(),
      link,
      headers: { mode: 'recorded' },
      modelLatency: { minMs: 100, maxMs: 300 },
    },
    ...{
      orderTimeToLiveMs: 15_000,
      venueRetryMs: 0,
      nextNonce: () => 1,
      sign: paperSigner.sign,
      onRequest: () => undefined,
    },
  });
  await recover({ store, engine, observe: (event) => link.observe(event) });
  return stateHash({ handlers: engine.host.hashViews(), venues: {} });
}

async function idsOf(store: MemoryEventStore): Promise<Record<string, string[]>> {
  const ids = new IdsByKey();
  for await (const { event } of store.readLog(0)) ids.add(event);
  return ids.ids;
}

describe('Determinism of one recorded input', () => {
  const folder = mkdtempSync(join(tmpdir(), 'moon-determinism-'));
  const file = join(folder, 'candles.csv');
  const books = (name: string): string => join(folder, name);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeAll(() => {
    const symbols = [
      { symbol: 'BTCUSDT', price: 40_000 },
      { symbol: 'ETHUSDT', price: 2_500 },
    ];
    writeCandles(file, { seed: 11, minutes: 1_500, start: START, symbols, crashAt: 900, crashShare: 0.32 });
  });

  it('gives the same ids for every key and the same state hash: twice, stopped and resumed, and through replay', async () => {
    const [first, second, resumed] = [new MemoryEventStore(), new MemoryEventStore(), new MemoryEventStore()];
    const whole = await recordedRun(file, first, books('first'));
    const again = await recordedRun(file, second, books('second'));
    expect(whole.result.orders).toBeGreaterThan(5);
    expect(whole.result.eventsByType['trade.force_close']).toBeGreaterThan(0);
    expect(whole.result.eventsByType['state.snapshot']).toBeGreaterThan(0);
    expect(again.result.stateHash).toBe(whole.result.stateHash);
    expect(await idsOf(second)).toEqual(await idsOf(first));

    let parts = 0;
    for (const stopAfter of [3, 700, 1_111, 2_345, 99, undefined]) {
      const part = await recordedRun(file, resumed, books('resumed'), stopAfter);
      parts += part.isComplete ? 0 : 1;
      if (part.isComplete) expect(part.result.stateHash).toBe(whole.result.stateHash);
    }
    expect(parts).toBe(5);
    expect(await idsOf(resumed)).toEqual(await idsOf(first));

    const ids = new IdsByKey();
    const replayed = await replay({ ...replayOptions(await recordedInputs([file]), PLATFORM), onEvent: ids.add });
    expect(replayed.stateHash).toBe(whole.result.stateHash);
    expect(ids.ids).toEqual(await idsOf(first));
  });

  it('sees another hash when one fill differs by the smallest unit (rule 6)', async () => {
    const store = new MemoryEventStore();
    await recordedRun(file, store, books('unit'));
    const hashWith = async (change: (event: AnyEvent) => AnyEvent): Promise<string> => {
      const changed = new MemoryEventStore();
      for await (const row of store.readLog(0)) await changed.appendBatch([{ ...row, event: change(row.event) }]);
      return rehandledHash(changed);
    };
    let last = '';
    for await (const { event } of store.readLog(0))
      if (event.type === 'venue.report' && event.data.kind === 'filled') last = event.id;
    const original = await hashWith((event) => event);
    const moved = await hashWith((event) => {
      if (event.type !== 'venue.report' || event.id !== last) return event;
      return { ...event, data: { ...event.data, fee: add(event.data.fee ?? '0', '0.000000000001') } };
    });
    expect(last).not.toBe('');
    expect(await hashWith((event) => event)).toBe(original);
    expect(moved).not.toBe(original);
  });

  it('stores no event before its cause, and no event whose cause is missing (rule 26)', async () => {
    const store = new MemoryEventStore();
    await recordedRun(file, store, books('causes'));
    const seen = new Set<string>();
    let caused = 0;
    for await (const { event } of store.readLog(0)) {
      if (event.causationId !== null) {
        expect(seen.has(event.causationId)).toBe(true);
        caused += 1;
      }
      seen.add(event.id);
    }
    expect(caused).toBeGreaterThan(1_000);
  });
});
