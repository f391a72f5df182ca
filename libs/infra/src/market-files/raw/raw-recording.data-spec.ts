import { join, resolve as resolvePath } from 'node:path';
import { instrumentForFeed, minuteQuoteVolume } from '@moon/domain';
import { validateEvent, type AnyEvent } from '@moon/events';
import { RowRefused, type ResolveInstrument } from '../formats';
import { RawRecording } from './raw-recording';

const SHARED = process.env.MOON_SHARED ?? resolvePath(__dirname, '../../../../../../shared');
const file = (name: string): string => join(SHARED, 'data/l2', name);

const resolve: ResolveInstrument = (venue, symbol) => {
  const found = instrumentForFeed(venue, symbol);
  if (!found) throw new RowRefused('unknown_symbol', `symbol "${symbol}" of ${venue} is not known`);
  return { instrument: found.id, token: found.token, fundingIntervalHours: found.fundingIntervalHours };
};

async function read(name: string, venue: string): Promise<{ recording: RawRecording; events: AnyEvent[] }> {
  const recording = new RawRecording({
    ...{ path: file(name), venue, resolve, minuteVolume: minuteQuoteVolume, headers: { mode: 'recorded' } },
  });
  const events: AnyEvent[] = [];
  for (let batch = await recording.nextBatch(); batch; batch = await recording.nextBatch()) events.push(...batch);
  return { recording, events };
}

const count = (events: readonly AnyEvent[], test: (event: AnyEvent) => boolean): number => events.filter(test).length;

describe('recorded order books', () => {
  it('reads the Binance recording whole, in the order of the venue, without a gap', async () => {
    const { recording, events } = await read('binance-usdm-btcusdt-20240808-raw.txt.gz', 'BINANCE-USDM');
    for (const event of events) validateEvent(event);
    expect(count(events, ({ type }) => type === 'book.delta')).toBe(6_551);
    expect(count(events, ({ type }) => type === 'book.snapshot')).toBe(1);
    expect(count(events, (event) => event.type === 'price.tick' && event.data.kind === 'last')).toBe(21_313);
    const { report } = recording;
    expect(report).toMatchObject({ lines: 93_954, refused: 0, repeats: 0, sequenceGaps: [], tooLate: 0 });
    // The recorder's streams overtook one another.
    expect(report.outOfOrder).toBeGreaterThan(7_000);
    expect(report.events).toBe(events.length);
    expect(events.every((event, index) => event.occurredAt >= (events[index - 1]?.occurredAt ?? 0))).toBe(true);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    // In the venue's order the first delta that counts spans the snapshot, which came late in the file.
    const snapshot = events.findIndex(({ type }) => type === 'book.snapshot');
    const { updateId = 0 } = events[snapshot]?.data as { updateId?: number };
    const next = events
      .slice(snapshot)
      .find((event) => event.type === 'book.delta' && event.data.lastUpdateId >= updateId);
    expect((next?.data as { firstUpdateId: number }).firstUpdateId).toBeLessThanOrEqual(updateId);
    expect(recording.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('reads the HyperLiquid recording, each trade once', async () => {
    const { recording, events } = await read('hyperliquid-btc-20250126-raw.txt.gz', 'HYPERLIQUID');
    for (const event of events) validateEvent(event);
    expect(count(events, ({ type }) => type === 'book.snapshot')).toBe(46);
    const trades = events.flatMap((event) => (event.type === 'price.tick' ? [event.data.tradeId] : []));
    expect(trades.length).toBeGreaterThan(10);
    expect(new Set(trades).size).toBe(trades.length);
    expect(recording.report).toMatchObject({ lines: 55, refused: 0 });
  });
});
