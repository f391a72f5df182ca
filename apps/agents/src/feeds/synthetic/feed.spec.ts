import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLiquidationNormaliser, driveHandler, findInstrument, isOnLot, isOnTick } from '@moon/domain';
import type { AnyEvent } from '@moon/events';
import { ManualClock } from '../testing/manual-clock';
import { recordingSink, type RecordingSink } from '../testing/sink';
import type { SyntheticFeedConfig } from './config';
import { SyntheticFeed } from './feed';
import { RegimePlan, type RegimeKind } from './regimes';
import { syntheticResume, type SyntheticResume } from './resume';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** 27 seconds into a minute. */
const START = 1_763_899_947_250;
const TOKENS = ['BTC', 'ETH', 'SOL'];
const SHORT: Partial<SyntheticFeedConfig> = { seed: 7, warmupHours: 1 };

interface Run {
  clock: ManualClock;
  feed: SyntheticFeed;
  sink: RecordingSink;
  past: AnyEvent[];
}

async function started(
  config: Partial<SyntheticFeedConfig> = {},
  at = START,
  resume: SyntheticResume | null = null,
): Promise<Run> {
  const clock = new ManualClock(at);
  const feed = new SyntheticFeed({ config: { ...SHORT, ...config }, clock, resume });
  const sink = recordingSink();
  const past = await feed.warmup(clock.now());
  await feed.start(sink);
  return { clock, feed, sink, past };
}

/** The first moment at which a regime of this kind begins. */
function beginningOf(kind: RegimeKind, seed: number): { at: number; minutes: number } {
  const plan = new RegimePlan(seed);
  for (let regime = plan.at(START); ; regime = plan.at(regime.to)) {
    if (regime.kind === kind) return { at: regime.from, minutes: Math.floor((regime.to - regime.from) / MINUTE) };
  }
}

const market = (events: readonly AnyEvent[]): AnyEvent[] => events.filter(({ type }) => type !== 'feed.status');
const content = (events: readonly AnyEvent[]): unknown[] => market(events).map(({ id, data }) => [id, data]);

/** Returns of consecutive minutes, in basis points, from a token's trades. */
function minuteReturns(sink: RecordingSink, token: string): number[] {
  const closes = new Map<number, number>();
  for (const tick of sink.of('price.tick')) {
    if (tick.token === token && tick.kind === 'last') closes.set(Math.floor(tick.timestamp / MINUTE), tick.price);
  }
  const prices = [...closes.values()];
  return prices.slice(1).map((price, index) => Math.log(price / (prices[index] ?? price)) * 1e4);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: readonly number[]): number =>
  Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));

describe('SyntheticFeed', () => {
  it('says in every event that it is made up', async () => {
    const { clock, sink, past, feed } = await started();
    clock.advance(10 * MINUTE);
    for (const event of [...past, ...sink.events]) {
      expect(event).toMatchObject({
        source: 'feed/SYNTHETIC',
        headers: { mode: 'synthetic' },
        causationId: null,
        correlationId: event.id,
      });
    }
    expect(feed.status().detail).toMatch(/^SYNTHETIC: made-up prices, no real market; seed 7, 60 times real time$/);
    expect(sink.of('feed.status')[0]).toMatchObject({ status: 'connected', detail: feed.status().detail });
    for (const { text, source } of sink.of('market.sentiment'))
      expect([text, source]).toEqual([expect.stringMatching(/^SYNTHETIC: /), 'synthetic-social']);
  });

  it('makes the same market for the same seed and start, another one for another seed', async () => {
    const runs = await Promise.all([started(), started(), started({ seed: 8 })]);
    for (const { clock } of runs) clock.advance(5 * MINUTE);
    const [one, same, other] = runs.map(({ sink, past }) => content([...past, ...sink.events]));
    expect(same).toEqual(one);
    expect(other).not.toEqual(one);
  });

  it('does not depend on how its clock is driven', async () => {
    const [smooth, jerky] = await Promise.all([started(), started()]);
    for (let step = 0; step < 700; step += 1) smooth.clock.advance(431);
    jerky.clock.advance(700 * 431);
    expect(content(jerky.sink.events)).toEqual(content(smooth.sink.events));
  });

  it('gives each id once', async () => {
    const { clock, sink, past } = await started({}, beginningOf('panic', 7).at);
    clock.advance(10 * MINUTE);
    const ids = [...past, ...sink.events].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('trades about once a second and token, on the venue’s grid and in its lots, in order of time', async () => {
    const { clock, sink } = await started();
    clock.advance(5 * MINUTE);
    for (const token of TOKENS) {
      const trades = sink.of('price.tick').filter((tick) => tick.token === token && tick.kind === 'last');
      expect(trades.length).toBe(300);
      for (const { instrument, price, size, volume_1m: volume } of trades) {
        const rules = findInstrument(instrument)!;
        expect([isOnTick(rules, String(price)), isOnLot(rules, String(size))]).toEqual([true, true]);
        expect(volume).toBeGreaterThanOrEqual(price * (size ?? 0) * (1 - 1e-9));
      }
    }
    const times = sink.events.map((event) => event.occurredAt);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  describe('with many trades a second', () => {
    const BUSY = { tradesPerSecond: 40, speed: 1 };

    it('comes to the same prices at every full second, by trades of their own times, on the grid, of about the same volume', async () => {
      const at = Math.floor(START / 1_000) * 1_000;
      const [calm, busy] = await Promise.all([started({}, at), started(BUSY, at)]);
      for (const { clock } of [calm, busy]) clock.advance(2 * MINUTE);
      const tradesOf = ({ sink }: Run, token: string) =>
        sink.of('price.tick').filter((tick) => tick.token === token && tick.kind === 'last');
      for (const token of TOKENS) {
        const [few, many] = [tradesOf(calm, token), tradesOf(busy, token)];
        expect(many).toHaveLength(40 * few.length);
        expect(many.filter((_, index) => index % 40 === 39).map(({ price }) => price)).toEqual(
          few.map(({ price }) => price),
        );
        expect(new Set(many.map(({ timestamp }) => timestamp)).size).toBe(many.length);
        const rules = findInstrument(many[0]?.instrument ?? '')!;
        expect(many.every(({ price, size }) => isOnTick(rules, String(price)) && isOnLot(rules, String(size)))).toBe(
          true,
        );
        const volume = (trades: typeof few) => trades.reduce((sum, { size }) => sum + (size ?? 0), 0);
        expect(volume(many) / volume(few)).toBeGreaterThan(0.8);
        expect(volume(many) / volume(few)).toBeLessThan(1.6);
      }
      const times = busy.sink.events.map((event) => event.occurredAt);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    });

    it('tells each when its time has come, however its clock is driven', async () => {
      const [smooth, jerky] = await Promise.all([started(BUSY), started(BUSY)]);
      for (let step = 0; step < 100; step += 1) {
        smooth.clock.advance(17);
        const newest = smooth.sink.events.at(-1)?.occurredAt ?? 0;
        expect(newest).toBeLessThanOrEqual(smooth.clock.now());
        if (step > 10) expect(newest).toBeGreaterThan(smooth.clock.now() - 50);
      }
      jerky.clock.advance(100 * 17);
      expect(content(jerky.sink.events)).toEqual(content(smooth.sink.events));
    });

    it('goes on after a pause in the middle of a second as if there had been none', async () => {
      const [steady, held] = await Promise.all([started(BUSY), started(BUSY)]);
      steady.clock.advance(10_000);
      held.clock.advance(1_430);
      held.feed.pause();
      held.clock.advance(3_000);
      held.feed.resume();
      held.clock.advance(10_000 - 4_430);
      expect(content(held.sink.events)).toEqual(content(steady.sink.events));
    });
  });

  it('keeps mark and oracle near the last price', async () => {
    const { clock, sink } = await started();
    clock.advance(5 * MINUTE);
    const last = new Map<string, number>();
    const kinds = new Set<string>();
    for (const { kind, token, price } of sink.of('price.tick')) {
      kinds.add(kind);
      if (kind === 'last') last.set(token, price);
      else expect(Math.abs(price / (last.get(token) ?? price) - 1)).toBeLessThan(0.002);
    }
    expect([...kinds].sort()).toEqual(['last', 'mark', 'oracle']);
  });

  it('predicts funding every five minutes, and settles it at the full hour', async () => {
    const { clock, sink } = await started({}, START + 40 * MINUTE);
    clock.advance(25 * MINUTE);
    const btc = sink.of('funding.update').filter(({ token }) => token === 'BTC');
    const settled = btc.filter(({ status }) => status === 'settled');
    expect(btc.filter(({ status }) => status === 'predicted')).toHaveLength(5);
    expect(settled).toHaveLength(1);
    expect(settled[0]?.settlesAt).toBe(settled[0]?.timestamp);
    expect((settled[0]?.settlesAt ?? 1) % HOUR).toBe(0);
    for (const { rate, intervalHours } of btc) expect([Math.abs(rate) < 0.0004, intervalHours]).toEqual([true, 1]);
  });

  it.each([
    ['calm', 3, 15],
    ['panic', 25, 90],
  ] as const)('moves by plausible amounts when the market is in a %s', async (kind, least, most) => {
    const returns: number[] = [];
    for (const seed of [1, 2, 3, 4]) {
      const { at, minutes } = beginningOf(kind, seed);
      const { clock, sink } = await started({ seed, warmupHours: 1 }, at);
      clock.advance(minutes * MINUTE);
      returns.push(...minuteReturns(sink, 'BTC'));
    }
    expect(deviation(returns)).toBeGreaterThan(least);
    expect(deviation(returns)).toBeLessThan(most);
    if (kind === 'panic') expect(mean(returns)).toBeLessThan(-8);
  });

  it('moves its tokens together', async () => {
    const { clock, sink } = await started();
    clock.advance(60 * MINUTE);
    const [btc, sol] = [minuteReturns(sink, 'BTC'), minuteReturns(sink, 'SOL')];
    const together = mean(btc.map((one, index) => one * (sol[index] ?? 0))) - mean(btc) * mean(sol);
    expect(together / (deviation(btc) * deviation(sol))).toBeGreaterThan(0.5);
  });

  it('liquidates longs in cascades when there is a panic, and speaks badly of it', async () => {
    const { at, minutes } = beginningOf('panic', 7);
    const { clock, sink } = await started({}, at);
    clock.advance(minutes * MINUTE);
    const forced = sink.events.filter(({ type }) => type === 'market.liquidation');
    expect(forced.every(({ data }) => 'side' in data && data.side === 'sell')).toBe(true);
    const told = driveHandler(createLiquidationNormaliser(), forced).of('liquidation.event');
    expect(told.some((event) => event.cascade_indicator)).toBe(true);
    clock.advance(3 * MINUTE);
    const late = sink.of('market.sentiment').filter(({ timestamp }) => timestamp > at + 3 * MINUTE);
    expect(mean(late.map(({ score }) => score))).toBeLessThan(-0.2);
  });

  describe('history', () => {
    it('holds eight hours of whole one-minute bars of each token up to the start, posts and funding, oldest first', async () => {
      const { past } = await started({ warmupHours: 8 });
      expect(past.every((event) => event.headers?.warmup === true)).toBe(true);
      const times = past.map((event) => event.occurredAt);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      for (const token of TOKENS) {
        const bars = past
          .filter((event) => event.type === 'bar.closed' && event.key === token)
          .map((event) => event.data);
        expect(bars).toHaveLength(480);
        bars.forEach((bar, index) =>
          expect('openedAt' in bar && bar.openedAt).toBe(Math.floor(START / MINUTE) * MINUTE - (480 - index) * MINUTE),
        );
        expect(past.filter((event) => event.type === 'market.sentiment' && event.key === token).length).toBeGreaterThan(
          100,
        );
        expect(
          past.filter(({ type, key, data }) => type === 'funding.update' && key === token && data.status === 'settled')
            .length,
        ).toBe(8);
      }
    });

    it('ends where the live prices begin', async () => {
      const { clock, sink, past } = await started();
      clock.advance(2_000);
      for (const token of TOKENS) {
        const bars = past.filter((event) => event.type === 'bar.closed' && event.key === token);
        const close = bars[bars.length - 1]?.data as { close: number };
        const first = sink.of('price.tick').find((tick) => tick.token === token && tick.kind === 'last');
        expect(Math.abs(Math.log((first?.price ?? 0) / close.close) * 1e4)).toBeLessThan(60);
      }
    });

    it('goes on with bars for the time that passed between the history and the start', async () => {
      const clock = new ManualClock(START);
      const feed = new SyntheticFeed({ config: SHORT, clock });
      const past = await feed.warmup(clock.now());
      clock.advance(3 * MINUTE);
      const sink = recordingSink();
      await feed.start(sink);
      const bars = sink.events.filter(({ type, key }) => type === 'bar.closed' && key === 'BTC');
      const lastBefore = past.filter(({ type, key }) => type === 'bar.closed' && key === 'BTC').pop();
      expect(bars.map((bar) => bar.occurredAt)).toEqual(
        [1, 2, 3].map((minute) => (lastBefore?.occurredAt ?? 0) + minute * MINUTE),
      );
      expect(bars.every((bar) => bar.headers?.warmup === true)).toBe(true);
      expect(sink.of('price.tick')).toEqual([]);
    });
  });

  describe('continued from its log', () => {
    it.each([1, 317, 1_000, 1_201])(
      'says after %i events exactly what it would have said without a stop',
      async (kept) => {
        const whole = await started();
        whole.clock.advance(6 * MINUTE);
        const log = market(whole.sink.events).slice(0, 1_300 + kept);
        const resume = syntheticResume(log, TOKENS);
        const next = await started({}, log[log.length - 1]?.occurredAt, resume);
        next.clock.advance(6 * MINUTE);
        const rest = market(whole.sink.events).slice(log.length);
        expect(next.past).toEqual([]);
        expect(content(next.sink.events).slice(0, rest.length)).toEqual(content(rest));
      },
    );

    it('starts afresh when the log does not hold a price of every token', async () => {
      const { clock, sink } = await started();
      clock.advance(MINUTE);
      expect(syntheticResume([], TOKENS)).toBeNull();
      expect(
        syntheticResume(
          sink.events.filter(({ key }) => key !== 'SOL'),
          TOKENS,
        ),
      ).toBeNull();
    });
  });

  describe('held back', () => {
    it('catches up on a short pause', async () => {
      const [steady, held] = await Promise.all([started(), started()]);
      steady.clock.advance(9 * MINUTE);
      held.clock.advance(MINUTE);
      held.feed.pause();
      const before = held.sink.events.length;
      held.clock.advance(5 * MINUTE);
      expect([held.sink.events.length, held.feed.status().state]).toEqual([before, 'paused']);
      held.feed.resume();
      held.clock.advance(3 * MINUTE);
      expect(content(held.sink.events)).toEqual(content(steady.sink.events));
    });

    it('tells a long pause as a gap, fills in its bars, and goes on with the same prices', async () => {
      const [steady, held] = await Promise.all([started(), started()]);
      steady.clock.advance(40 * MINUTE);
      held.clock.advance(MINUTE);
      held.feed.pause();
      held.clock.advance(30 * MINUTE);
      held.feed.resume();
      held.clock.advance(9 * MINUTE);
      const [gap] = held.sink.of('feed.gap');
      expect(gap).toMatchObject({ feed: 'SYNTHETIC', filled: true });
      expect((gap?.toMs ?? 0) - (gap?.fromMs ?? 0)).toBeGreaterThan(29 * MINUTE);
      expect(held.sink.of('bar.closed').filter(({ token }) => token === 'ETH').length).toBeGreaterThanOrEqual(28);
      const trades = ({ sink }: Run) =>
        sink
          .of('price.tick')
          .filter(({ kind }) => kind === 'last')
          .slice(-300)
          .map(({ token, price }) => [token, price]);
      expect(trades(held)).toEqual(trades(steady));
    });

    it('stops when the runtime takes no more, and says nothing after a stop', async () => {
      const { clock, feed, sink } = await started();
      sink.takes = false;
      clock.advance(5_000);
      expect(feed.status().state).toBe('stopped');
      sink.takes = true;
      clock.advance(MINUTE);
      await feed.stop();
      expect(sink.of('price.tick')).toEqual([]);
    });
  });

  it('refuses what it has no market for, a second start, and a wrong configuration', async () => {
    const clock = new ManualClock(START);
    expect(() => new SyntheticFeed({ config: { instruments: ['BTCUSDT.BINANCE-SPOT'] }, clock })).toThrow(
      /no market for "BTCUSDT.BINANCE-SPOT"/,
    );
    expect(() => new SyntheticFeed({ config: { seed: -1 }, clock })).toThrow(
      /Configuration of feed SYNTHETIC: \/seed is -1/,
    );
    const { feed } = await started();
    expect(() => feed.start(recordingSink())).toThrow(/started already/);
  });

  it('shares no code with the agents: it takes instruments and the volume sum from the domain, and nothing else', () => {
    const sources = readdirSync(__dirname).filter((name) => /^[a-z-]+\.ts$/.test(name));
    const imports = sources.flatMap((name) => [
      ...readFileSync(join(__dirname, name), 'utf8').matchAll(/import (?:type )?(\{[^}]*\}) from '([^']+)'/g),
    ]);
    const taken = imports
      .filter(([, , from]) => from === '@moon/domain')
      .flatMap(([, names]) => (names ?? '').match(/[A-Za-z]+/g) ?? []);
    expect([...new Set(taken)].sort()).toEqual(['Instrument', 'findInstrument', 'minuteQuoteVolume', 'type']);
    const outside = new Set(imports.map(([, , from]) => from).filter((from) => !from?.startsWith('./')));
    expect([...outside].sort()).toEqual([
      '../complete-config',
      '../feed-event',
      '@moon/domain',
      '@moon/events',
      '@moon/kernel',
      '@sinclair/typebox',
    ]);
  });
});
