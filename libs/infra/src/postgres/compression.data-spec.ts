import { instrumentForFeed, minuteQuoteVolume } from '@moon/domain';
import { CATALOG } from '@moon/events';
import { join, resolve } from 'node:path';
import { readerWith } from '../market-files/testing/read-files';
import { compressedSizes } from '../testing/compressed-sizes';
import { startTimescale } from '../testing/timescale';

const SHARED = process.env.MOON_SHARED ?? resolve(__dirname, '../../../../../shared');
const FILE = join(SHARED, 'data/trades/binance-usdm-BTC-ETH-20240808-2354.csv.gz');
const EVENTS = 20_000;

describe('compression of the log', () => {
  it('[EVS-2] real trades take at least 80 % less than before, with their indexes, and none is missing', async () => {
    const { events } = await readerWith(instrumentForFeed, minuteQuoteVolume)([FILE]);
    const messages = events.slice(0, EVENTS).map((event, offset) => {
      return { topic: CATALOG[event.type].topic, partition: 0, offset, event, producer: null };
    });
    expect(messages).toHaveLength(EVENTS);
    const server = await startTimescale(resolve(__dirname, '../../../..'));
    try {
      const { before, after } = await compressedSizes(server, messages);
      const saved = 1 - after / before;
      process.stdout.write(`compression of ${EVENTS} real trades: ${(saved * 100).toFixed(1)} % saved\n`);
      expect(saved).toBeGreaterThanOrEqual(0.8);
    } finally {
      await server.stop();
    }
  });
});
