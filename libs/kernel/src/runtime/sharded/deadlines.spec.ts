import type { AnyEvent } from '@moon/events';
import { createConsensusSaga, testEvent, type Handler } from '@moon/domain';
import { turns } from '../../testing/live-bed';
import { ShardBed, type ShardMember } from '../../testing/shard-bed';
import { T0, tick } from '../../testing/venue-desk';

const WINDOW_MS = 5_000;

const signal = (at: number, agent: string, windowId?: string): AnyEvent => {
  const data = { token: 'BTC', action: 'BUY', score: 90, confidence: 0.9, agent, reason: 'a test' } as const;
  return testEvent('signal.generated', T0 + at, { ...data, timestamp: T0 + at, ...(windowId && { windowId }) });
};

/** Rings a second after each price that everybody hears. */
const alarm: Handler<object> = {
  ...{ name: 'saga/alarm', role: 'saga', partitionedBy: 'portfolio', consumes: ['price.tick'] },
  initialState: () => ({}),
  handle(event, _state, out) {
    if (event.type === 'deadline.reached') {
      const { dueAt: timestamp } = event.data;
      out.emit('signal.error', { token: 'BTC', agent: 'alarm', reason: 'refused', detail: 'rang', timestamp });
    } else out.schedule('ring', event.occurredAt + 1_000);
  },
};

describe('deadlines of a shard (rule 23)', () => {
  const outcomes = (bed: ShardBed): AnyEvent[] =>
    bed.database.appended.map(({ event }) => event).filter(({ type }) => type.includes('.consensus_'));
  const windowOf = (bed: ShardBed): string => {
    const opened = bed.database.appended.find(({ event }) => event.type === 'consensus.opened')?.event;
    return opened?.type === 'consensus.opened' ? opened.data.windowId : '';
  };
  const consensus = (more: { patienceMs?: number } = {}): ShardBed =>
    new ShardBed({ handlers: [createConsensusSaga()], keyed: ['signal.generated'], ...more });
  const pass = async (bed: ShardBed, ms: number): Promise<void> => {
    bed.clock.advance(ms);
    await turns();
  };

  async function withWindow(bed: ShardBed): Promise<ShardMember> {
    const member = await bed.member();
    bed.bus.append(signal(0, 'trading_agent'));
    await turns();
    return member;
  }

  it('[US2-1] a window that ended while its owner was dead counts the votes that lay on the broker', async () => {
    const bed = consensus();
    const first = await withWindow(bed);
    await first.group.checkpoint();
    first.kill();
    bed.bus.append(signal(4_000, 'chart_agent', windowOf(bed)));
    bed.bus.append(signal(WINDOW_MS + 1, 'sentiment_agent', windowOf(bed)));
    bed.bus.isAway = true;
    bed.clock.advance(12_000);
    const second = await bed.member();
    await pass(bed, 0);
    expect(outcomes(bed)).toEqual([]);
    bed.bus.isAway = false;
    await turns();
    expect(outcomes(bed)).toMatchObject([
      { type: 'trade.consensus_approved', data: { contributing_agents: ['trading_agent', 'chart_agent'] } },
    ]);
    // The place at which it fired is the journal's: whoever handles that again comes to the same.
    second.kill();
    const third = await bed.member();
    await pass(bed, 60_000);
    expect(third.failures).toEqual([]);
    expect(third.shard.engine.lastSeq).toBe(second.shard.engine.lastSeq);
    expect(outcomes(bed)).toHaveLength(1);
    await third.group.stop();
  });

  it('[US2-1] a window that ends while brokers bring nothing counts what was published in time', async () => {
    const bed = consensus();
    const member = await withWindow(bed);
    bed.bus.isAway = true;
    bed.bus.append(signal(4_999, 'chart_agent', windowOf(bed)));
    await pass(bed, WINDOW_MS);
    await pass(bed, 3_000);
    expect(outcomes(bed)).toEqual([]);
    bed.bus.isAway = false;
    await turns();
    expect(outcomes(bed).map(({ type }) => type)).toEqual(['trade.consensus_approved']);
    await member.group.stop();
  });

  it('brokers that stay away hold a deadline up for as long as is said, and no longer', async () => {
    const bed = consensus({ patienceMs: 400 });
    const member = await withWindow(bed);
    bed.bus.isAway = true;
    await pass(bed, WINDOW_MS);
    expect(outcomes(bed)).toEqual([]);
    while (outcomes(bed).length === 0) await turns();
    expect(outcomes(bed).map(({ type }) => type)).toEqual(['signal.consensus_failed']);
    await member.group.stop();
  });

  it('a shard that is let go of leaves the deadline to the next owner', async () => {
    const bed = consensus();
    const member = await withWindow(bed);
    bed.bus.isAway = true;
    bed.bus.append(signal(4_000, 'chart_agent', windowOf(bed)));
    await pass(bed, WINDOW_MS);
    const begun = performance.now();
    await member.group.stop();
    expect(performance.now() - begun).toBeLessThan(900);
    expect(outcomes(bed)).toEqual([]);
    bed.bus.isAway = false;
    const second = await bed.member();
    await pass(bed, 0);
    expect(outcomes(bed).map(({ type }) => type)).toEqual(['trade.consensus_approved']);
    await second.group.stop();
  });

  it('[RSK-5] protective deadlines wait for no broker', async () => {
    const bed = new ShardBed({ handlers: [alarm], keyed: ['price.ticks'] });
    const member = await bed.member();
    bed.bus.append(tick('BTC.HYPERLIQUID', 0, 100));
    await turns();
    bed.bus.isAway = true;
    await pass(bed, 1_000);
    expect(bed.published('signal.error').map(({ data }) => data.detail)).toEqual(['rang']);
    await member.group.stop();
  });
});
