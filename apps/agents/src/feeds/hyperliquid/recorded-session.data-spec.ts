import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ManualClock } from '../testing/manual-clock';
import { recordingSink } from '../testing/sink';
import { StubVenue, until } from '../testing/stub-venue';
import { HyperliquidFeed } from './feed';

const SHARED = process.env.MOON_SHARED ?? resolve(__dirname, '../../../../../../shared');
const FILE = join(SHARED, 'data/l2/hyperliquid-btc-20250126-raw.txt.gz');

interface RawTrade {
  tid: number;
  time: number;
  px: string;
  sz: string;
  side: string;
}

/** One recorded frame: when it arrived (ms) and its text. */
function recordedFrames(): { at: number; frame: string }[] {
  if (!existsSync(FILE)) throw new Error(`${FILE} is missing: set MOON_SHARED to the folder that holds data/.`);
  const lines = gunzipSync(readFileSync(FILE))
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => {
    const space = line.indexOf(' ');
    return { at: Math.floor(Number(line.slice(0, space)) / 1e6), frame: line.slice(space + 1) };
  });
}

describe('a recorded session of HyperLiquid, played by a local server', () => {
  const frames = recordedFrames();
  const messages = frames.map(({ frame }) => JSON.parse(frame) as { channel: string; data: unknown });
  const rawTrades = messages.filter(({ channel }) => channel === 'trades').flatMap(({ data }) => data as RawTrade[]);
  const rawBooks = messages
    .filter(({ channel }) => channel === 'l2Book')
    .map(({ data }) => data as { levels: { px: string }[][] });

  async function play(how: { losesAfter?: number } = {}) {
    const venue = await StubVenue.open();
    const clock = new ManualClock((frames[0]?.at ?? 0) - 1_000);
    const sink = recordingSink();
    const config = {
      ...venue.urls,
      coins: ['BTC'],
      book: 'l2Book' as const,
      bookIntervalMs: 0,
      reconnectMinMs: 1,
      reconnectMaxMs: 1,
    };
    const feed = new HyperliquidFeed({ config, clock, random: () => 0.5 });
    let played: RawTrade[] = [];
    venue.answers.recentTrades = () =>
      played
        .slice(-20)
        .map((trade) => ({ ...trade, coin: 'BTC' }))
        .reverse();
    await feed.start(sink);
    await until('it has subscribed', () => feed.status().detail.includes('3 of 3'));
    for (const [index, { at, frame }] of frames.entries()) {
      clock.advance(Math.max(0, at - clock.now()));
      await venue.send(frame);
      played = [...played, ...(messages[index]?.channel === 'trades' ? (messages[index]?.data as RawTrade[]) : [])];
      if (index !== how.losesAfter) continue;
      venue.dropAll();
      await until('the loss is noticed', () => feed.status().state === 'connecting');
      clock.advance(1);
      await until('the gap is told', () => sink.of('feed.gap').length > 0);
    }
    await feed.stop();
    await venue.close();
    return { sink, status: feed.status() };
  }

  it('[FLW-2] publishes every trade once with its own price, size, side and id, and refuses nothing', async () => {
    const { sink, status } = await play();
    const unique = [...new Map(rawTrades.map((trade) => [trade.tid, trade])).values()];
    const ticks = sink.of('price.tick').filter(({ kind }) => kind === 'last');
    expect(frames).toHaveLength(55);
    expect(status.refusedByReason).toEqual({});
    expect(ticks.length + status.repeats).toBe(rawTrades.length);
    const said = new Map(ticks.map((tick) => [tick.tradeId, tick]));
    expect(said.size).toBe(unique.length);
    for (const { tid, px, sz, side, time } of unique) {
      const expected = { price: Number(px), size: Number(sz), side: side === 'B' ? 'buy' : 'sell', timestamp: time };
      expect(said.get(String(tid))).toMatchObject(expected);
    }
  });

  it('gives each tick the quote volume of the 60 seconds up to it', async () => {
    const { sink } = await play();
    const ticks = sink.of('price.tick');
    // Trades and book come on channels of their own: what is stamped before the last tick counts at the last tick's time.
    let latest = 0;
    const times = ticks.map(({ timestamp }) => (latest = Math.max(latest, timestamp)));
    ticks.forEach((tick, index) => {
      const window = ticks.slice(0, index + 1).filter((_, at) => (times[at] ?? 0) > (times[index] ?? 0) - 60_000);
      const sum = window.reduce((total, { price, size = 0 }) => total + price * size, 0);
      expect(tick.volume_1m).toBeCloseTo(sum, 6);
    });
  });

  it('says bid and ask at each change of the best price and at no other time', async () => {
    const { sink } = await play();
    for (const [kind, side] of [
      ['bid', 0],
      ['ask', 1],
    ] as const) {
      const best = rawBooks.map(({ levels }) => Number(levels[side]?.[0]?.px));
      const changes = best.filter((price, index) => price !== best[index - 1]);
      expect(
        sink
          .of('price.tick')
          .filter((tick) => tick.kind === kind)
          .map(({ price }) => price),
      ).toEqual(changes);
    }
  });

  it('[INT-2] says the same trades when the connection is lost in between', async () => {
    const whole = await play();
    const cut = await play({ losesAfter: 30 });
    const ids = (of: typeof whole): string[] =>
      of.sink.events.filter(({ type, data }) => type === 'price.tick' && data.kind === 'last').map(({ id }) => id);
    expect(ids(cut)).toEqual(ids(whole));
    expect(cut.sink.of('feed.gap')).toMatchObject([{ filled: true }]);
  });
});
