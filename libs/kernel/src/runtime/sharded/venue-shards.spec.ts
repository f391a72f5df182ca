import { createVenueEngine, paperSigner } from '@moon/backtesting';
import { bootstrapEvents, platformConfigSchema, type PlatformConfig } from '@moon/domain';
import { Value } from '@sinclair/typebox/value';
import { LEAST_PARTITIONS, groupPlans, takesOf } from '../../platform/groups';
import { executionState } from '../../platform/assemble';
import { Reconciliation } from '../../platform/reconcile';
import { accountSpecs } from '../../platform/start-events';
import { partitionOf } from '../../memory/memory-bus';
import { VenueRefused, VenueTimeout, type VenuePort, type VenueReport } from '../../ports/venue';
import { turns } from '../../testing/live-bed';
import { ShardBed, type ShardMember } from '../../testing/shard-bed';
import { funding, T0, tick } from '../../testing/venue-desk';
import { VenueLink } from '../../venue-link/venue-link';

const BTC = 'BTC.HYPERLIQUID';
const HOUR = 3_600_000;
const SHARDS = 2;
const headers = { mode: 'synthetic' } as const;
type Link = { lastSeq: Record<string, number> };
const shardOf = (key: string): number => partitionOf(key, LEAST_PARTITIONS) % SHARDS;

/** A portfolio that holds 1 BTC from the beginning. */
const holder = (name: string, deposit: string) => ({
  ...{ name, deposit, instruments: [{ instrument: BTC, leverage: 10 }] },
  positions: [{ instrument: BTC, side: 'long', quantity: '1', price: '40000' }],
});

/** The venue's one engine behind the port: each event is handled once, and whoever tells it gets its answer. */
function venueOf(platform: PlatformConfig) {
  const engine = createVenueEngine({ priceSources: {}, fundingSources: {} });
  for (const spec of accountSpecs(platform, T0, paperSigner)) engine.openAccount(spec);
  const told = new Map<string, VenueReport[]>();
  const venue = {
    name: 'paper',
    market: (event) => {
      if (!told.has(event.id)) told.set(event.id, engine.market(event));
      return Promise.resolve(told.get(event.id)!);
    },
    advanceTo: (ms) => Promise.resolve(engine.advanceTo(ms)),
    nextDueAt: () => Promise.resolve(engine.nextDueAt()),
    reportsSince: (portfolio, seq) => Promise.resolve(engine.reportsSince(portfolio, seq)),
    books: (portfolio) => engine.books(portfolio),
    marketCauses: () => ({}),
  } as Partial<VenuePort> as VenuePort;
  return { engine, venue };
}

/** Execution in two shards with a portfolio each, `thin` close to a margin call and `rich` far from it, at one venue. */
function deployment(more: Partial<ShardBed['options']> = {}) {
  const platform = Value.Default(platformConfigSchema, {
    portfolios: [holder('thin', '4000'), holder('rich', '400000')],
  }) as PlatformConfig;
  const { engine, venue } = venueOf(platform);
  const plan = groupPlans(platform).find(({ effects }) => effects === 'venue')!;
  const links = new Map<number, VenueLink>();
  const ownOf = (shard: number) => platform.portfolios.filter(({ name }) => shardOf(name) === shard);
  const bed = new ShardBed({
    ...{ name: plan.name, handlers: plan.handlers, keyed: plan.keyed, broadcast: plan.broadcast },
    takes: (shard) => takesOf(plan, (key) => shardOf(key) === shard),
    venue: (shard) => {
      const link = new VenueLink(venue, headers, true, (portfolio) => shardOf(portfolio) === shard);
      links.set(shard, link);
      return link;
    },
    begin: async (running, shard) => {
      const portfolios = ownOf(shard).filter(({ name }) => !executionState(running, name)?.portfolio);
      const missed = await links.get(shard)!.resume(
        ownOf(shard).map(({ name }) => name),
        false,
      );
      const opened = { at: T0, headers, feedInstruments: [BTC], shard: `${plan.name}#${shard}` };
      return [...(portfolios.length > 0 ? bootstrapEvents({ ...opened, portfolios }) : []), ...missed];
    },
    ...more,
  });
  return { bed, engine, venue, links, plan };
}

const foldOf = ({ group }: ShardMember, portfolio: string) =>
  group.shards.map((shard) => executionState(shard.engine, portfolio)?.portfolio).find((fold) => fold);

describe('shards of execution at one venue', () => {
  it('[EXE-4] take in the reports of their own portfolios: a margin call of one leaves the shards of all others alone', async () => {
    const { bed } = deployment();
    const member = await bed.member([0, 1], SHARDS);
    bed.bus.append(tick(BTC, 1_000, 36_550));
    await turns();
    expect(member.failures.map(({ message }) => message)).toEqual([]);
    const halts = bed.database.appended.flatMap(({ event }) => (event.type === 'halt.raised' ? [event.data] : []));
    expect(halts.filter(({ source }) => source === 'integrity')).toEqual([]);
    const heard = member.group.shards.map(({ engine }) => (engine.snapshot().companions['venue-link'] as Link).lastSeq);
    expect(heard).toEqual([{ thin: 1 }, {}]);
  });

  it('[EXE-4] hear of funding: it is paid on the position held at the settlement, once, into the books of its owner', async () => {
    const { bed, engine } = deployment();
    const member = await bed.member([0, 1], SHARDS);
    bed.bus.append(tick(BTC, 1_000, 40_000));
    const settled = funding(BTC, HOUR, 0.0001, 40_000);
    bed.bus.append(settled);
    bed.bus.append(settled);
    await turns();
    expect(member.failures.map(({ message }) => message)).toEqual([]);
    const booked = bed.database.appended.filter(({ event }) => event.type === 'portfolio.funding_booked');
    expect(booked.map(({ event }) => event.key).sort()).toEqual(['rich', 'thin']);
    expect(foldOf(member, 'rich')?.cash).toBe('399996');
    expect(engine.books('rich').cash).toBe('399996');
  });

  it('[EXE-4] hear of a topic that their plan did not name before from its oldest message on, and settle nothing twice', async () => {
    const { bed, engine, plan } = deployment();
    const wholePlan = plan.broadcast;
    Object.assign(bed.options, { broadcast: wholePlan.filter((topic) => topic !== 'funding.updates') });
    const before = await bed.member([0, 1], SHARDS);
    bed.bus.append(tick(BTC, 1_000, 40_000));
    for (const hours of [1, 2]) bed.bus.append(funding(BTC, hours * HOUR, 0.0001, 40_000));
    bed.bus.append(tick(BTC, 2 * HOUR, 40_000));
    await turns();
    await before.group.checkpoint();
    expect(foldOf(before, 'rich')?.cash).toBe('400000');
    await before.group.stop();
    Object.assign(bed.options, { broadcast: wholePlan });
    const after = await bed.member([0, 1], SHARDS);
    await turns();
    expect(foldOf(after, 'rich')?.cash).toBe('399992');
    after.kill();
    // From its checkpoint, which names no position of that topic, and its journal, which names messages of it.
    const again = await bed.member([0, 1], SHARDS);
    bed.bus.append(funding(BTC, 3 * HOUR, 0.0001, 40_000));
    await turns();
    expect([...before.failures, ...after.failures, ...again.failures]).toEqual([]);
    expect(foldOf(again, 'rich')?.cash).toBe('399988');
    expect(engine.books('rich').cash).toBe('399988');
  });

  it('[EXE-5] a comparison with the venue that fails breaks the shard of its portfolio; the others go on', async () => {
    const lost = new Set<string>();
    const { bed, venue, links } = deployment({
      onLive: async (engine, submit, end, shard) => {
        const reconciliation = new Reconciliation({
          ...{ engine, link: links.get(shard)!, headers, submit, onFatal: end, retryMs: 1 },
          now: () => engine.now,
          onProblem: () => undefined,
        });
        await reconciliation.start(shard === shardOf('thin') ? ['thin'] : []);
      },
    });
    const { books } = venue;
    venue.books = (portfolio) => {
      if (lost.has(portfolio)) throw new VenueRefused('unknown_account', `No account of ${portfolio}.`);
      lost.add(portfolio);
      throw new VenueTimeout('No answer.');
    };
    const member = await bed.member([0, 1], SHARDS);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await turns();
    venue.books = books;
    expect(member.failures.map(({ message }) => message)).toEqual(['No account of thin.']);
    bed.bus.append(funding(BTC, HOUR, 0.0001, 40_000));
    await turns();
    expect(member.group.shards.map(({ name, isLive }) => [name, isLive])).toEqual([['execution#1', true]]);
    expect(foldOf(member, 'rich')?.cash).toBe('399996');
  });
});
