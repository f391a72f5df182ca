import type { TestRedis } from './redis';
import type { TestRedisCluster } from './redis-cluster';

/** A slot on its way from its owner to another node, key by key, as `redis-cli --cluster reshard` does it. */
export interface SlotMove {
  slot: number;
  from: TestRedis;
  /** Moves this key. */
  key(name: string): Promise<void>;
  /** Moves so many keys at most. Returns how many are left. */
  keys(count: number): Promise<number>;
  /** Moves what is left, and tells every node of the new owner. */
  end(): Promise<void>;
}

export async function beginSlotMove(cluster: TestRedisCluster, key: string, to: TestRedis): Promise<SlotMove> {
  const from = await cluster.owner(key);
  const slot = Number(await from.command('CLUSTER', 'KEYSLOT', key));
  const [fromId, toId] = [await cluster.idOf(from), await cluster.idOf(to)];
  const all = (): Promise<string[]> =>
    from.command('CLUSTER', 'GETKEYSINSLOT', String(slot), '100000') as Promise<string[]>;
  await to.command('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', fromId);
  await from.command('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', toId);
  const migrate = (names: readonly string[]): Promise<unknown> =>
    from.command('MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...names);
  const keys = async (count: number): Promise<number> => {
    const present = await all();
    const some = present.slice(0, count);
    if (some.length > 0) await migrate(some);
    return present.length - some.length;
  };
  const end = async (): Promise<void> => {
    while ((await keys(1_000)) > 0);
    // The new owner first: until the old one hears of it, it sends whoever asks there.
    for (const node of [to, from]) await node.command('CLUSTER', 'SETSLOT', String(slot), 'NODE', toId);
    await cluster.ownerAfter(key, from);
  };
  return { slot, from, keys, end, key: async (name) => void (await migrate([name])) };
}
