import type { AnyEvent } from '@moon/events';
import { CommandLine } from '../../testing/command-line';
import { FakePlatform, T0 } from '../../testing/platform';

const ORDER = '7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04';

describe('moon trace', () => {
  const line = new CommandLine();
  let platform: FakePlatform;
  let tick: AnyEvent;
  let signal: AnyEvent;
  let fill: AnyEvent;

  beforeAll(async () => {
    platform = await FakePlatform.start(line.dataDir);
    await platform.say('price.tick', { price: 1 }, { at: T0 });
    tick = await platform.say('price.tick', { price: 43_250 }, { at: T0 + 1_000 });
    signal = await platform.say('signal.generated', {}, { cause: tick, at: T0 + 1_000 });
    await platform.say('price.tick', { price: 2 }, { at: T0 + 1_010 });
    const opened = await platform.say('consensus.opened', {}, { cause: signal, at: T0 + 1_000 });
    await platform.say(
      'signal.generated',
      { agent: 'chart_agent', windowId: '5b3f1c52-63a1-5d9c-8f7e-1b8a7a6f0c01' },
      { cause: opened, at: T0 + 1_000 },
    );
    const approved = await platform.say('trade.consensus_approved', {}, { cause: opened, at: T0 + 1_120 });
    const requested = await platform.say('order.requested', { order_id: ORDER }, { cause: approved, at: T0 + 1_120 });
    const submitted = await platform.say('order.submitted', { order_id: ORDER }, { cause: requested, at: T0 + 1_130 });
    const report = await platform.say(
      'venue.report',
      { order_id: ORDER, kind: 'filled' },
      { cause: submitted, at: T0 + 1_400 },
    );
    fill = await platform.say('trade.executed', { order_id: ORDER }, { cause: report, at: T0 + 1_400 });
  }, 60_000);
  afterAll(async () => {
    await platform.stop();
    line.remove();
  });

  it('shows the whole chain from tick to fill as a tree, with times and what each event says', async () => {
    const { code, out, err } = await line.moon('trace', fill.id);
    expect(code).toBe(0);
    expect(out).toHaveLength(9);
    expect(out[0]).toMatch(
      /^2024-01-01 00:00:01\.000 {2}price\.tick {2}BTC\.HYPERLIQUID last 43250 .* {2}\[[0-9a-f]{8} #2\]$/,
    );
    expect(out[1]).toMatch(/^└─ \+0 s {2}signal\.generated {2}trading_agent BUY BTC/);
    expect(out[2]).toMatch(/^ {3}└─ \+0 s {2}consensus\.opened/);
    expect(out[3]).toMatch(/^ {6}├─ \+0 s {2}signal\.generated {2}chart_agent .*as an answer/);
    expect(out[4]).toMatch(/^ {6}└─ \+0\.12 s {2}trade\.consensus_approved/);
    expect(out[5]).toMatch(/^ {9}└─ \+0\.12 s {2}order\.requested/);
    expect(out[8]).toMatch(/^ {18}└─ ► \+0\.4 s {2}trade\.executed {2}main order 7d9a2c0b: buy/);
    expect(err).toEqual(['Run synthetic: 9 events of one root.']);
  });

  it('finds the chain by an order, a correlation, or the first digits of any of them', async () => {
    const chain = (await line.moon('trace', fill.id)).out.map((text) => text.replace('► ', ''));
    for (const id of [ORDER, ORDER.slice(0, 8), tick.id, signal.id.slice(0, 13), fill.correlationId.toUpperCase()]) {
      const { out } = await line.moon('trace', id);
      expect(out.map((text) => text.replace('► ', ''))).toEqual(chain);
    }
    const marked = (await line.moon('trace', ORDER)).out.filter((text) => text.includes('►'));
    expect(marked).toEqual([expect.stringContaining('order.requested')]);
  });

  it('gives the same as data: the path from the event up to its root, and all that was caused', async () => {
    interface Node {
      type: string;
      caused: Node[];
    }
    const trace = await line.json<{ path: { type: string }[]; roots: Node[]; events: number; isComplete: boolean }>(
      'trace',
      fill.id,
    );
    expect(trace).toMatchObject({ events: 9, isComplete: true, asked: fill.id, correlationId: tick.id });
    expect(trace.path.map(({ type }) => type)).toEqual([
      ...['trade.executed', 'venue.report', 'order.submitted', 'order.requested', 'trade.consensus_approved'],
      ...['consensus.opened', 'signal.generated', 'price.tick'],
    ]);
    const size = (nodes: readonly Node[]): number => nodes.reduce((sum, { caused }) => sum + 1 + size(caused), 0);
    expect(trace.roots.map(({ type }) => type)).toEqual(['price.tick']);
    expect(size(trace.roots)).toBe(9);
  });

  it('shows where the chain ends when a cause is no longer in the log', async () => {
    const lost = {
      ...tick,
      id: '00000000-0000-5000-8000-000000000001',
      correlationId: '00000000-0000-5000-8000-000000000001',
    };
    const left = await platform.say('risk.alert', { message: 'Still here.' }, { cause: lost });
    const { out, code } = await line.moon('trace', left.id);
    expect(code).toBe(0);
    expect(out).toEqual([expect.stringMatching(/► .*risk\.alert.*\(its cause 00000000 is not in this log\)$/)]);
  });

  it('reads long chains in part, with the way to the event that was asked for', async () => {
    const { out, err } = await line.moon('trace', fill.id, '--limit', '3');
    expect(out.some((text) => text.includes('► +0.4 s  trade.executed'))).toBe(true);
    expect(err[0]).toMatch(/--limit shows more/);
  });

  it.each([
    ['what is no id', 'BTC!', 2, /is no id/],
    ['an id that nothing has', 'ffffffffffff', 1, /no event and no order whose id begins with/],
  ])('says so for %s', async (_what, id, code, message) => {
    expect(await line.moon('trace', id)).toMatchObject({ code, out: [], err: [expect.stringMatching(message)] });
  });

  it('lists what a beginning may mean when it fits several ids', async () => {
    const events: AnyEvent[] = [];
    for (let index = 0; index < 17; index += 1) events.push(await platform.say('price.tick', { price: 10 + index }));
    // Seventeen ids, sixteen digits.
    const digit = [...'0123456789abcdef'].find((first) => events.filter(({ id }) => id.startsWith(first)).length > 1)!;
    const { code, err } = await line.moon('trace', digit);
    expect(code).toBe(2);
    expect(err.join('\n')).toMatch(/fits more than one id; give more digits:\n/);
    for (const { id } of events.filter((event) => event.id.startsWith(digit)).slice(0, 2))
      expect(err.join('\n')).toContain(id);
  });
});
