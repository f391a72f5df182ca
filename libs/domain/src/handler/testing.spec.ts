import { EventRefused, type AnyEvent } from '@moon/events';
import { driveHandler, recordOutbox, testEvent, type Handler } from '.';

const T0 = Date.UTC(2026, 0, 1);

const tick = (afterMs: number, token = 'BTC'): AnyEvent =>
  testEvent('price.tick', T0 + afterMs, {
    ...{ token, price: 1, volume_1m: 0, timestamp: T0 + afterMs, instrument: `${token}.HYPERLIQUID`, kind: 'last' },
  });

interface Seen {
  events: [type: string, afterMs: number][];
}

/** Notes what it sees; each tick sets the deadline 'later' five seconds ahead. */
const noting: Handler<Seen> = {
  name: 'agent/noting',
  role: 'agent',
  partitionedBy: 'token',
  consumes: ['price.tick'],
  broadcast: ['halt.raised'],
  initialState: () => ({ events: [] }),
  handle(event, state, out) {
    state.events.push([event.type, out.now - T0]);
    if (event.type === 'price.tick') out.schedule('later', out.now + 5_000, { price: event.data.price });
  },
};

describe('driveHandler', () => {
  it('keeps a state for each key and gives broadcasts to every key that there is', () => {
    const halt = testEvent('halt.raised', T0 + 2, { source: 'risk', scope: 'global', reason: 'x', timestamp: T0 + 2 });
    const { states } = driveHandler(noting, [halt, tick(0), tick(1, 'ETH'), halt]);
    expect(Object.keys(states)).toEqual(['BTC', 'ETH']);
    expect(states.ETH?.events.map(([type]) => type)).toEqual(['price.tick', 'halt.raised']);
  });

  it('fires a deadline before the first event later than it, and leaves what lies beyond `until`', () => {
    const { state, pending, scheduled } = driveHandler(noting, [tick(0), tick(1_000), tick(6_000), tick(20_000)], {
      until: T0 + 24_000,
    });
    expect(state.events).toEqual([
      ['price.tick', 0],
      ['price.tick', 1_000],
      ['price.tick', 6_000],
      ['deadline.reached', 11_000],
      ['price.tick', 20_000],
    ]);
    expect(scheduled).toHaveLength(4);
    expect(pending).toEqual([{ name: 'later', at: T0 + 25_000, data: { price: 1 }, key: 'BTC' }]);
  });

  it('leaves out what the handler does not ask for', () => {
    const { states } = driveHandler(noting, [
      testEvent('sentiment.update', T0, {
        token: 'BTC',
        bullish_pct: 1,
        velocity: 0,
        confidence: 1,
        timestamp: T0,
        source: 's',
      }),
    ]);
    expect(states).toEqual({});
  });

  it('fails a spec whose state JSON cannot hold', () => {
    const broken: Handler<{ at: unknown }> = {
      name: 'agent/broken',
      role: 'agent',
      partitionedBy: 'token',
      consumes: ['price.tick'],
      initialState: () => ({ at: 0 }),
      handle: (_event, state) => void (state.at = new Map()),
    };
    expect(() => driveHandler(broken, [tick(0)])).toThrow(/State of agent\/broken is not plain JSON at \$\.at/);
  });
});

describe('recordOutbox', () => {
  it('refuses data that the schema of its type does not allow', () => {
    const out = recordOutbox(T0, 'BTC');
    const update = { token: 'BTC', bullish_pct: 101, velocity: 0, confidence: 1, timestamp: T0, source: 's' };
    expect(() => out.emit('sentiment.update', update)).toThrow(EventRefused);
    expect(out.emitted).toEqual([]);
  });
});
