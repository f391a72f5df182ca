import { evolveOrder, evolvePortfolio, type OrderState, type PortfolioState } from '@moon/domain';
import { CATALOG, mayEmit } from '@moon/events';
import { Projector, type LogRow } from '@moon/kernel';
import { lehmer } from '../support/market';
import { interleaved } from '../support/shuffle';
import { tradedLog } from '../support/traded-log';

interface Shown {
  version: string;
  value: Record<string, unknown>;
}

function project(rows: Iterable<LogRow>): Projector {
  const projector = new Projector();
  for (const row of rows) projector.apply(row);
  return projector;
}

const textOf = (projector: Projector): string =>
  [...projector.entries()]
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ key, version, value }) => `${key} ${version} ${value}`)
    .join('\n');

function shown(projector: Projector, key: string): Shown {
  const { version, value } = projector.entry(key);
  return { version, value: JSON.parse(value!) as Record<string, unknown> };
}

describe('the sources of a real log', () => {
  it('[BRK-1] are those that the catalog names for each type: consumers take nothing from others', async () => {
    const { rows } = await tradedLog(1_500);
    const types = new Set(rows.map(({ event }) => event.type));
    expect(types.size).toBeGreaterThan(25);
    // What is read from files goes to no broker.
    const emitted = rows.filter(({ event }) => event.causationId !== null || CATALOG[event.type].category !== 'market');
    const strange = emitted.filter(({ event }) => !mayEmit(event.type, event.source));
    expect(new Set(strange.map(({ event }) => `${event.type} ${event.source}`))).toEqual(new Set());
  });
});

describe('projections of a real log', () => {
  let rows: LogRow[];
  let projector: Projector;
  beforeAll(async () => {
    ({ rows } = await tradedLog(600));
    projector = project(rows);
  });

  it('are the same bytes in whatever order topics and keys are interleaved, whatever comes twice', () => {
    const expected = textOf(projector);
    const partition = ({ event }: LogRow): string => `${CATALOG[event.type].topic} ${event.key}`;
    for (const seed of [1, 2]) {
      const random = lehmer(seed);
      const mixed = interleaved(rows, partition, random);
      const twice = mixed.flatMap((row) => (random() < 0.2 ? [row, row] : [row]));
      const other = project(twice);
      expect(other.gaps()).toEqual([]);
      expect(textOf(other) === expected).toBe(true);
    }
    expect(projector.parked()).toEqual([]);
  });

  it('never show two contents under one version of a key', () => {
    const seen = new Map<string, string>();
    const partition = ({ event }: LogRow): string => `${CATALOG[event.type].topic} ${event.key}`;
    for (const seed of [3, 4]) {
      const other = new Projector();
      for (const row of interleaved(rows, partition, lehmer(seed))) {
        for (const { key, version, value } of other.fold(row)) {
          const known = seen.get(`${key} ${version}`);
          expect(known === undefined || known === value).toBe(true);
          seen.set(`${key} ${version}`, value!);
        }
      }
    }
    expect(seen.size).toBeGreaterThan(1_000);
  });

  it('show a portfolio as its newest snapshot says it, with the version of its newest delta', () => {
    for (const name of ['main', 'second']) {
      const own = rows.flatMap(({ event }) =>
        'portfolio' in event.data && event.data.portfolio === name ? [event] : [],
      );
      const changes = own.flatMap((event) => (event.type === 'state.changed' ? [event.data] : []));
      const last = own.filter((event) => event.type === 'state.snapshot').at(-1);
      const { version, value } = shown(projector, `portfolio:${name}`);
      expect(Number(version)).toBe(changes.at(-1)?.version);
      // A snapshot comes with the delta before it; the deltas up to it add up to it.
      const until = new Projector();
      for (const row of rows) {
        until.apply(row);
        if (row.event === last) break;
      }
      const { event_type: _type, timestamp: _at, ...whole } = last!.data as unknown as Record<string, unknown>;
      expect(shown(until, `portfolio:${name}`).value).toMatchObject(whole);
      let state: PortfolioState | undefined;
      for (const { event, streamId } of rows)
        if (streamId === `portfolio-${name}`) state = evolvePortfolio(state, event);
      expect(value.cash).toBe(state?.cash);
    }
  });

  it('show every order as its stream has it, without the signed bytes', () => {
    const orders = new Map<string, OrderState>();
    for (const { event, streamId = '' } of rows)
      if (streamId.startsWith('order-'))
        orders.set(streamId.slice(6), evolveOrder(orders.get(streamId.slice(6)), event));
    expect(orders.size).toBeGreaterThan(5);
    for (const [id, { payload: _payload, signature: _signature, ...order }] of orders)
      expect(shown(projector, `order:${id}`).value).toEqual(order);
  });

  it('show halts, the newest consensus, prices and signals', () => {
    const events = rows.map(({ event }) => event);
    const halts = new Set<string>();
    for (const event of events) {
      if (event.type !== 'halt.raised' && event.type !== 'halt.lifted') continue;
      if (event.data.portfolio !== 'main') continue;
      const name = `${event.data.source} ${event.data.reason}`;
      if (event.type === 'halt.raised') halts.add(name);
      else halts.delete(name);
    }
    expect(events.some(({ type }) => type === 'halt.raised')).toBe(true);
    const now = shown(projector, 'halts:main').value.halts as { source: string; reason: string }[];
    expect(now.map(({ source, reason }) => `${source} ${reason}`)).toEqual([...halts]);

    const windows = events.filter(
      ({ type, key }) => key === 'BTC' && ['trade.consensus_approved', 'signal.consensus_failed'].includes(type),
    );
    const last = windows.at(-1)!;
    expect(shown(projector, 'consensus:BTC').value).toMatchObject({
      windowId: (last.data as { windowId: string }).windowId,
    });

    const newest = events.filter((event) => event.type === 'bar.closed').at(-1)!;
    const { event_type: _type, ...bar } = newest.data as unknown as Record<string, unknown>;
    expect(shown(projector, `bar:${String(bar.instrument)}:60000`)).toEqual({
      version: `${String(newest.occurredAt).padStart(16, '0')}${newest.id.replaceAll('-', '')}`,
      value: { ...bar, eventId: newest.id },
    });
    const signal = events.filter((event) => event.type === 'signal.generated' && event.data.token === 'BTC').at(-1);
    const { agent } = signal!.data as { agent: string };
    expect(shown(projector, `agent:${agent}:signal:BTC`).value).toMatchObject({ agent, token: 'BTC' });
  });

  it('begin with a snapshot where retention has dropped what was before', () => {
    const from = rows.findIndex(({ event }) => event.type === 'state.changed' && event.data.version === 10);
    const rest = rows.slice(from).filter(({ event }) => event.type.startsWith('state.'));
    const late = project(rest);
    expect(
      late
        .gaps()
        .map(({ streamId }) => streamId)
        .sort(),
    ).toEqual(['state-main', 'state-second']);
    expect(late.settle().sort()).toEqual(['portfolio:main', 'portfolio:second']);
    expect(late.gaps()).toEqual([]);
    for (const key of ['portfolio:main', 'portfolio:second']) expect(late.entry(key)).toEqual(projector.entry(key));
  });
});
