import { EmittedVersions, type AnyEvent } from '@moon/events';
import { ClusterLog, EventArchive, ShardJournals, StreamRelay, type PostgresAccess } from '@moon/infra';
import { executionState, groupPlans, takesOf, type Handler } from '@moon/kernel';
import { ShardBed, type ShardMember } from '../../../kernel/src/testing/shard-bed';
import { T0 } from '../../../kernel/src/testing/venue-desk';
import type { ClusterConfig } from '../config';
import { shardOfKey } from '../group-host';
import { portfolioEvents, settingsEvents } from '../settings-events';

const SHARDS = 3;
const headers = { mode: 'synthetic' } as const;
/** The price that the choking handlers fail at. */
export const POISON = 103;

/** Fails at one price as long as it has seen few: what it does follows from what it was given. */
const choking = (name: string, role: 'agent' | 'saga'): Handler<{ seen: number }> => ({
  ...{ name, role, partitionedBy: 'token', consumes: ['price.tick'] },
  initialState: () => ({ seen: 0 }),
  handle(event, state, out) {
    if (event.type !== 'price.tick') return;
    if (event.data.price === POISON && state.seen < 5) throw new Error('too early');
    state.seen += 1;
    const { token, price, timestamp } = event.data;
    out.emit('signal.error', { token, agent: name, reason: 'refused', detail: `${state.seen} ${price}`, timestamp });
  },
});
export const CHOKING = [choking('agent/choking', 'agent'), choking('saga/choking', 'saga')];

/**
 * Execution and a group of choking handlers, in three shards and in one, on a real store with the relay; between them is a broker
 * in memory.
 */
export class Deployment {
  readonly log: ClusterLog;
  readonly archive: EventArchive;
  readonly journals: ShardJournals;
  readonly execution: ShardBed;
  readonly choking: ShardBed;
  private readonly relay: StreamRelay;
  private members: ShardMember[] = [];

  /** @param config its portfolios may be added to between two starts */
  constructor({ app }: PostgresAccess, database: string, config: ClusterConfig) {
    this.log = new ClusterLog(app, database);
    this.archive = new EventArchive(app, database);
    this.journals = new ShardJournals(app, database);
    const plan = groupPlans(config.platform).find(({ name }) => name === 'execution')!;
    const ownedBy = (shard: number) => (key: string) => shardOfKey(key, SHARDS) === shard;
    const journal: ShardBed['options']['journal'] = ({ shard }) => this.journals.open(shard);
    const settingsOf = async (shard: string, at: number, seq: number): Promise<AnyEvent[]> => {
      const { rows } = await this.log.query({ types: ['config.activated'], streamId: `config@${shard}`, limit: 1 });
      const last = rows[0]?.event ?? null;
      return settingsEvents({
        shard,
        codeVersion: '1',
        emitted: new EmittedVersions({}),
        platform: config.platform,
        at,
        seq,
        headers,
        last,
      });
    };
    this.execution = new ShardBed({
      ...{ name: 'execution', journal, handlers: plan.handlers, keyed: plan.keyed, broadcast: plan.broadcast },
      takes: (shard) => takesOf(plan, ownedBy(shard), `execution#${shard}`),
      begin: async (engine, shard) => {
        const at = Math.max(T0, engine.now);
        const own = config.platform.portfolios.filter(({ name }) => ownedBy(shard)(name));
        const opened = { at, headers, feedInstruments: ['BTC.HYPERLIQUID'], shard: `execution#${shard}` };
        const events = portfolioEvents(engine, { ...config.platform, portfolios: own }, opened);
        return [...(await settingsOf(`execution#${shard}`, at, engine.lastSeq)), ...events];
      },
    });
    this.choking = new ShardBed({
      ...{ name: 'choking', journal, handlers: CHOKING, keyed: ['price.ticks'], broadcast: ['audit.events'] },
      begin: (engine) => settingsOf('choking#0', Math.max(T0, engine.now), engine.lastSeq),
    });
    this.relay = new StreamRelay(app, database, (rows) => {
      for (const { event, version, shard } of rows)
        for (const { bus } of [this.execution, this.choking])
          bus.append({ ...event, headers: { ...event.headers, streamVersion: version! } } as AnyEvent, shard);
      return Promise.resolve();
    });
    this.relay.start();
  }

  /** Resolves when every shard is live, and the log holds what it began with. */
  async start(): Promise<void> {
    this.members = [await this.execution.member([0, 1, 2], SHARDS), await this.choking.member()];
    await until(() => this.members.every(({ group }) => group.shards.length > 0 && group.isLive));
    await this.settled();
  }

  /** Resolves when what was handled is stored and published. */
  async settled(): Promise<void> {
    for (const { group } of this.members) for (const { log } of group.shards) await log.settled();
  }

  kill(): void {
    for (const member of this.members) member.kill();
  }

  /** @throws the first error that ended a shard */
  async stop(): Promise<void> {
    for (const { group } of this.members) await group.stop();
    await this.relay.stop();
    await Promise.all([this.log.close(), this.archive.close(), this.journals.close()]);
    for (const { failures } of this.members) for (const failure of failures) throw failure;
  }

  /** What keeps a portfolio from trading, as its owner's memory says. */
  haltsOf(portfolio: string): readonly unknown[] {
    const shards = this.members[0]?.group.shards ?? [];
    const states = shards.map(({ engine }) => executionState(engine, portfolio)?.portfolio);
    return states.flatMap((state) => state?.halts ?? []);
  }

  async of(...types: string[]): Promise<AnyEvent[]> {
    return (await this.log.query({ types, limit: 1_000 })).rows.map(({ event }) => event);
  }
}

const PATIENCE_MS = 60_000;

/** Waits until something is so. @throws Error when it does not come about */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; !(await isSo());) {
    if (performance.now() > deadline) throw new Error(`It did not come about within ${PATIENCE_MS} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
