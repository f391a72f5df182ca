import { testEvent, type Handler } from '@moon/domain';
import { turns } from '../../../kernel/src/testing/live-bed';
import { ShardBed, type ShardMember } from '../../../kernel/src/testing/shard-bed';
import { T0, tick } from '../../../kernel/src/testing/venue-desk';
import { POISON, CHOKING } from '../testing/deployment';
import type { HostedGroup } from '../group-host';
import { groupPart } from './group-part';

const portfolio: Handler<{ portfolio: { halts: object[] }; globalHalts: object[] }> = {
  name: 'execution',
  role: 'agent',
  partitionedBy: 'portfolio',
  consumes: ['halt.raised'],
  initialState: () => ({ portfolio: { halts: [] }, globalHalts: [] }),
  handle(event, state) {
    if (event.type === 'halt.raised') state.portfolio.halts.push({ source: event.data.source });
  },
};

const hostedBy = ({ group }: ShardMember, absence: string | null = null): HostedGroup => ({
  ...{ group, lag: () => ({ 'price.ticks': 7 }), standstillMs: () => 1_500, absence: () => absence },
});

describe('whether a group is up', () => {
  const refused = 'not in the consumer group agents, of 3 shards: stop the others first';

  it('[SYS-1] it is not in a process that its group refuses: one without shards is no other than one that was given none', async () => {
    const bed = new ShardBed({ name: 'agents', handlers: CHOKING, keyed: ['price.ticks'] });
    const member = await bed.member([]);
    expect(groupPart(hostedBy(member)).isUp()).toBe(true);
    const part = groupPart(hostedBy(member, refused));
    expect(part.isUp()).toBe(false);
    expect(part.problem!()).toBe(refused);
    await member.group.stop();
  });

  it('[SYS-1] it is not while what every shard hears is not brought to it, whatever its shards say', async () => {
    const bed = new ShardBed({ name: 'agents', handlers: CHOKING, keyed: ['price.ticks'] });
    const member = await bed.member();
    expect(member.group.isLive).toBe(true);
    expect(groupPart(hostedBy(member, refused)).isUp()).toBe(false);
    await member.group.stop();
  });
});

describe('the metrics of a group', () => {
  let member: ShardMember;
  afterEach(() => member.group.stop());

  const read = (portfolios: readonly string[] = []): Record<string, number> => {
    const samples = groupPart(hostedBy(member), portfolios).metrics!() as {
      name: string;
      labels: object;
      value: number;
    }[];
    return Object.fromEntries(
      samples.map(({ name, labels, value }) => [[name, ...Object.values(labels as object)].join(' '), value]),
    );
  };

  it('[NFM-2] are its lag, the shards that it holds with their positions, and the keys that stand still', async () => {
    const bed = new ShardBed({ name: 'agents', handlers: CHOKING, keyed: ['price.ticks'] });
    member = await bed.member();
    for (const [index, price] of [100, POISON, 101].entries())
      bed.bus.append(tick('BTC.HYPERLIQUID', index + 1, price));
    await turns();
    await member.shard.log.settled();

    const found = read();
    expect(found).toMatchObject({
      'moon_group_lag_messages agents price.ticks': 7,
      'moon_group_standstill_seconds agents': 1.5,
      'moon_shard_live agents 0': 1,
      'moon_shards_broken agents': 0,
      'moon_parked_keys agents': 1,
    });
    expect(found['moon_shard_seq agents 0']).toBeGreaterThan(3);
    expect(found['moon_shard_durable_seq agents 0']).toBe(found['moon_shard_seq agents 0']);
    expect(found).not.toHaveProperty('moon_portfolios');
  });

  it('[NFM-2] a key that stands still and has no room for more is not READY, and status says so', async () => {
    const bed = new ShardBed({ name: 'agents', handlers: CHOKING, keyed: ['price.ticks'] });
    member = await bed.member();
    const part = groupPart({ group: member.group, lag: () => ({}), standstillMs: () => 0, absence: () => null });
    bed.bus.append(tick('BTC.HYPERLIQUID', 0, POISON));
    await turns();
    expect([part.isUp(), part.problem?.()]).toEqual([true, null]);
    for (let at = 1; at <= 5_000; at += 1) bed.bus.append(tick('BTC.HYPERLIQUID', at, 100));
    for (let turn = 0; turn < 500 && part.isUp(); turn += 1) await turns(10);

    expect(part.isUp()).toBe(false);
    expect(part.problem?.()).toMatch(/BTC stands still at an event, 5000 wait/);
    expect(read()).toMatchObject({
      'moon_parked_keys agents': 1,
      'moon_parked_waiting_events agents': 5_000,
      'moon_parked_full_keys agents': 1,
    });
    expect(part.status?.()).toMatchObject({ shards: [{ parked: [{ key: 'BTC', refused: 1, isFull: true }] }] });
  });

  it('[NFM-2] are of execution the portfolios that live in its shards, and their halts', async () => {
    const bed = new ShardBed({ name: 'execution', handlers: [portfolio], keyed: ['halt.events'] });
    member = await bed.member();
    const halt = { scope: 'portfolio', portfolio: 'main', source: 'risk:daily_loss', reason: 'daily_loss' } as const;
    bed.bus.append(testEvent('halt.raised', T0, { ...halt, timestamp: T0 }));
    await turns();
    await member.shard.log.settled();

    expect(read(['main', 'elsewhere'])).toMatchObject({
      moon_portfolios: 1,
      moon_halted_portfolios: 1,
      'moon_halts risk': 1,
    });
  });
});
