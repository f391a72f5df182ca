import { testEvent } from '@moon/domain';
import type { AnyEvent } from '@moon/events';
import { MemoryProjectionCache, Projector, streamVersion, type LogRow, type VenueReport } from '@moon/kernel';
import { CarriedEvents } from './cluster/carried';
import { checkCache } from './cluster/ledger/cache-check';
import { checkAccepted, checkCarried, checkKeyOrder, checkLog } from './cluster/ledger/compare';
import { Findings } from './cluster/ledger/findings';
import { LogFold } from './cluster/ledger/log-fold';
import { checkReports } from './cluster/ledger/venue-check';

const T0 = 1_700_000_000_000;

const opened = (at: number): AnyEvent => {
  const window = { token: 'BTC', windowId: `w-${at}`, openedBy: 'chart_agent', openingSignalId: `s-${at}` };
  const rules = { closesAt: T0 + at, voters: [], threshold: 60, minimumAgents: 1, timestamp: T0 + at };
  return { ...testEvent('consensus.opened', T0 + at, { ...window, ...rules }), causationId: null } as AnyEvent;
};

const decided = (at: number): AnyEvent => {
  const data = { event_type: 'signal.consensus_failed', token: 'BTC', windowId: `w-${at}`, timestamp: T0 + at };
  return { ...opened(at + 1_000_000), type: 'signal.consensus_failed', data } as unknown as AnyEvent;
};

const tick = (at: number): AnyEvent =>
  testEvent('price.tick', T0 + at, {
    ...{ token: 'BTC', instrument: 'BTC.HYPERLIQUID', price: 100, kind: 'last', volume_1m: 0, timestamp: T0 + at },
  });

/** Each event on its topic at the offset that is given for it. */
function carriedAt(...events: ReadonlyArray<readonly [event: AnyEvent, offset: number]>): CarriedEvents {
  const carried = new CarriedEvents();
  for (const [event, offset] of events)
    carried.note({ event, offset, topic: 'consensus.events', partition: 0, producer: null });
  return carried;
}

function folded(findings: Findings, ...rows: ReadonlyArray<readonly [event: AnyEvent, version?: number]>): LogFold {
  const fold = new LogFold();
  for (const [index, [event, version]] of rows.entries()) {
    const stream = version === undefined ? {} : { streamId: 'consensus-BTC', version };
    fold.take({ seq: index + 1, event, ...stream }, findings);
  }
  return fold;
}

const accepted = (orderId: string, venueOrderId: string): VenueReport =>
  ({ kind: 'accepted', order_id: orderId, venueOrderId }) as unknown as VenueReport;

describe('the ledger check', () => {
  let findings: Findings;
  beforeEach(() => (findings = new Findings()));

  it('finds nothing where nothing is wrong', () => {
    const [first, second, price] = [opened(1), decided(1), tick(3)];
    const fold = folded(findings, [first, 1], [second, 2], [price]);
    const carried = carriedAt([first, 4], [second, 5], [price, 6]);
    checkLog(fold, carried.events, findings);
    checkCarried(carried.events, fold, findings);
    checkAccepted(new Set([price.id]), carried.events, findings);
    fold.judge(findings);
    expect(findings.examples).toEqual([]);
  });

  it('finds the planted bug: the relay is unordered', () => {
    const [first, second] = [opened(1), opened(2)];
    const fold = folded(findings, [first, 1], [second, 2]);
    checkLog(fold, carriedAt([second, 4], [first, 5]).events, findings);
    expect(findings.counts).toMatchObject({ reordered: 1, lost: 0 });
  });

  it('finds the planted bug: an order is sent again with new bytes', () => {
    const fold = new LogFold();
    checkReports([accepted('o-1', 'v-1'), accepted('o-1', 'v-2')], fold, findings);
    expect(findings.counts.venueDoubles).toBe(1);
  });

  it('finds what the store lacks, what has a gap and what no cause explains', () => {
    const [first, third] = [opened(1), { ...opened(3), causationId: 'gone' } as AnyEvent];
    const fold = folded(findings, [first, 1], [third, 3]);
    checkLog(fold, carriedAt([first, 1], [third, 2]).events, findings);
    checkCarried(carriedAt([tick(9), 3]).events, fold, findings);
    expect(findings.counts.lost).toBe(3);
  });

  it('finds an accepted input that is gone, and a key whose inputs changed places', () => {
    const [first, second] = [tick(1), tick(2)];
    const carried = carriedAt([second, 1], [first, 2]);
    checkAccepted(new Set([first.id, 'gone']), carried.events, findings);
    checkKeyOrder(new Map([['price.ticks\nBTC', [first.id, second.id]]]), carried.events, findings);
    expect(findings.counts).toMatchObject({ lost: 1, reordered: 1 });
  });

  describe('of the cache', () => {
    const rows: LogRow[] = [opened(1), decided(1), opened(2)].map((event, index) => ({
      ...{ seq: index + 1, event, streamId: 'consensus-BTC', version: index + 1 },
    }));
    const halted: LogRow = {
      ...{ seq: 4, streamId: 'halts-global', version: 1 },
      event: testEvent('halt.raised', T0, { scope: 'global', source: 'cache', reason: 'away', timestamp: T0 }),
    };
    const log = (these: readonly LogRow[]) =>
      async function* (): AsyncIterable<LogRow> {
        for (const row of these) yield await Promise.resolve(row);
      };
    /** A cache that holds what these rows fold to. */
    const filled = async (these: readonly LogRow[]): Promise<MemoryProjectionCache> => {
      const projector = new Projector();
      for (const row of these) projector.apply(row);
      const cache = new MemoryProjectionCache();
      await cache.open('1');
      await cache.put([...projector.entries()]);
      return cache;
    };

    it('[SYS-4] finds nothing where it shows what the log folds to', async () => {
      await checkCache(await filled(rows), log(rows), findings);
      expect(findings.examples).toEqual([]);
    });

    it('[SYS-4] finds a key that is missing, one that is behind, one that is altered and one too many', async () => {
      await checkCache(await filled([]), log(rows), findings);
      expect(findings.counts.lost).toBeGreaterThan(0);
      findings = new Findings();
      await checkCache(await filled(rows.slice(0, 1)), log(rows), findings);
      expect(findings.counts.stuck).toBeGreaterThan(0);
      findings = new Findings();
      const altered = await filled([]);
      const projector = new Projector();
      for (const row of rows) projector.apply(row);
      await altered.put([...projector.entries()].map((entry) => ({ ...entry, value: '{}' })));
      await checkCache(altered, log(rows), findings);
      expect(findings.counts).toMatchObject({ lost: 0, stuck: 0 });
      expect(findings.counts.doubled).toBeGreaterThan(0);
      findings = new Findings();
      const more = await filled(rows);
      await more.put([{ key: 'order:nobody', version: streamVersion(1), value: '{}' }]);
      await checkCache(more, log(rows), findings);
      expect(findings.examples).toEqual(['doubled: the cache shows what the log does not know: order:nobody']);
    });

    it('takes no harm from what is said between two reads', async () => {
      let reads = 0;
      const growing = (): AsyncIterable<LogRow> => log(rows.slice(0, (reads += 1) === 1 ? 1 : 3))();
      await checkCache(await filled(rows.slice(0, 2)), growing, findings);
      expect(findings.examples).toEqual([]);
    });

    it('[CCH-4] finds opening orders that stay halted', async () => {
      await checkCache(await filled([halted]), log([halted]), findings);
      expect(findings.examples.join()).toContain('opening orders are still halted');
    });
  });

  it('finds two orders that were let through where there was room for one', () => {
    const opening = testEvent('portfolio.opened', T0, {
      ...{
        portfolio: 'fund',
        accountModel: 'margin',
        marginMode: 'isolated',
        settlementAsset: 'USDC',
        ledgerScale: 12,
      },
      instruments: ['BTC', 'ETH'].map((token) => {
        return { instrument: `${token}.HYPERLIQUID`, leverage: 3, priceSource: `${token}.HYPERLIQUID` };
      }),
      ...{ subscriptions: { consensus: true, agents: [], instruments: [] }, limits: {}, timestamp: T0 },
      sizing: { mode: 'fraction', fraction: 0.1, scaleByConfidence: false },
    });
    const reserved = (token: string, at: number): AnyEvent =>
      testEvent('portfolio.reserved', T0 + at, {
        ...{ portfolio: 'fund', order_id: `order-${token}`, instrument: `${token}.HYPERLIQUID`, side: 'buy' },
        ...{ quantity: '1', notional: '90000', reduceOnly: false, timestamp: T0 + at },
      });
    const judged = (...events: readonly AnyEvent[]): readonly string[] => {
      const [fold, own] = [new LogFold(120_000), new Findings()];
      for (const [index, event] of events.entries())
        fold.take({ seq: index + 1, event, streamId: 'portfolio-fund', version: index + 1 }, own);
      return own.examples;
    };
    expect(judged(opening, reserved('BTC', 1))).toEqual([]);
    const found = 'doubled: room was given away twice: fund holds 180000 with order order-ETH';
    expect(judged(opening, reserved('BTC', 1), reserved('ETH', 2))).toEqual([found]);
  });

  it('finds a saga that is stuck', () => {
    const fold = folded(findings, [opened(1), 1], [tick(3_600_000)]);
    fold.judge(findings);
    expect(findings.counts.stuck).toBe(1);
  });

  it('finds an id with two contents', () => {
    const first = tick(1);
    const other = { ...first, data: { ...first.data, price: 101 } } as AnyEvent;
    const fold = folded(findings, [other]);
    checkCarried(carriedAt([first, 1]).events, fold, findings);
    expect(findings.counts.doubled).toBe(1);
  });
});
