import type { LogRow } from '@moon/kernel';
import { RedisProjectionCache } from '@moon/infra';
import type { TestRedis } from '../../libs/infra/src/testing/redis';
import { startTestRedisCluster, type TestRedisCluster } from '../../libs/infra/src/testing/redis-cluster';
import { beginSlotMove } from '../../libs/infra/src/testing/redis-slot-move';
import { cachedText, projectedText, Projecting } from '../support/projecting';
import { tradedLog } from '../support/traded-log';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('projections in a Redis Cluster', () => {
  let cluster: TestRedisCluster;
  let rows: LogRow[];
  let projecting: Projecting;
  let taken: number;

  beforeAll(async () => {
    ({ rows } = await tradedLog(300));
    cluster = await startTestRedisCluster();
  });
  afterAll(() => cluster.stop());
  afterEach(async () => {
    await projecting.stop();
    await cluster.mend();
  });

  const keyOf = (environment: string): string => `{${environment}}`;
  /** Half of the log is in the cache. */
  const begin = async (environment: string): Promise<void> => {
    projecting = new Projecting(await RedisProjectionCache.connect({ ...cluster.config, environment }));
    await projecting.until('up');
    taken = Math.floor(rows.length / 2);
    projecting.take(rows.slice(0, taken));
    await projecting.writer.idle();
  };
  /** The next hundredth of the second half; nothing when all of it was taken. */
  const takeSome = async (): Promise<void> => {
    const next = taken + Math.ceil(rows.length / 200);
    projecting.take(rows.slice(taken, next));
    taken = Math.min(next, rows.length);
    await pause(20);
  };
  const takeAll = async (): Promise<void> => {
    while (taken < rows.length) await takeSome();
  };
  const anotherServer = async (before: string): Promise<void> => {
    for (let server = before; server === before; await pause(50)) {
      server = await projecting.cache.identity().then(
        (identity) => identity.server,
        () => before,
      );
    }
  };
  const expectProjection = async (): Promise<void> => {
    await projecting.until('up');
    await projecting.writer.idle();
    expect(await cachedText(projecting.cache)).toEqual(projectedText(rows));
    expect((await projecting.cache.identity()).isWhole).toBe(true);
  };
  /** The fault strikes the owner of the slot; the second half of the log comes while the failover goes on. */
  const play = async (environment: string, fault: (owner: TestRedis) => Promise<void> | void): Promise<void> => {
    await begin(environment);
    const { server } = await projecting.cache.identity();
    await fault(await cluster.owner(keyOf(environment)));
    await takeAll();
    await anotherServer(server);
    await expectProjection();
    expect(projecting.states).toContain('catching-up');
  };

  it('[CCH-4] [SYS-4] the owner of the slot is killed: after the failover the cache is the projection of the log', async () => {
    await play('killed', (owner) => cluster.kill(owner));
  });

  it('[CCH-4] [SYS-4] the owner freezes and wakes when it is none any more: nothing acknowledged is missing', async () => {
    let woken: Promise<void> = Promise.resolve();
    await play('frozen', (owner) => {
      cluster.pause(owner);
      woken = cluster.ownerAfter(keyOf('frozen'), owner).then(() => cluster.resume(owner));
    });
    await woken;
    await expectProjection();
  });

  it('[CCH-4] [SYS-4] the owner freezes for longer than its replica takes, and wakes when the cache is up again', async () => {
    let frozen: TestRedis | null = null;
    await play('long', (owner) => {
      frozen = owner;
      cluster.pause(owner);
    });
    cluster.resume(frozen!);
    await cluster.mend();
    await expectProjection();
  });

  it('[SYS-4] killed and started again before the others notice: everything is there', async () => {
    await play('restarted', async (owner) => {
      await cluster.kill(owner);
      await cluster.start(owner);
    });
  });

  it.each(['first', 'last'])(
    '[SYS-4] the slot goes to another node key by key while it is written, the pointer %s: no reader sees a part for the whole',
    async (place) => {
      const environment = `moved-${place}`;
      await begin(environment);
      const move = await beginSlotMove(cluster, keyOf(environment), await cluster.otherPrimary(keyOf(environment)));
      const keys = projectedText(rows.slice(0, taken)).map((line) => line.split(' ')[0]!);
      const prefix = `moon:${keyOf(environment)}:`;
      const { generation } = await projecting.cache.identity();
      // Without the pointer the old owner sends everybody to the new one, which has few of the keys yet.
      if (place === 'first') await move.key(`${prefix}generations`);
      else for (const key of keys.slice(0, 10)) await move.key(`${prefix}${generation}:${key}`);
      await expect(projecting.cache.get(keys)).rejects.toThrow(/^The slot of this environment is being moved/);
      expect(await projecting.reader.get(keys)).toMatchObject({ isStale: true });
      while (projecting.writer.state === 'up') await takeSome();
      await takeSome();
      await move.end();
      await takeAll();
      await expectProjection();
    },
  );

  it('[SYS-4] redis-cli reshards the slot while it is written, there and back: nothing is lost', async () => {
    // redis-cli moves the first slots of a node.
    const environment = await earlySlot();
    await begin(environment);
    for (let round = 0; round < 2; round += 1) {
      const [from, to] = [await cluster.owner(keyOf(environment)), await cluster.otherPrimary(keyOf(environment))];
      const slots = await cluster.slotsUpTo(keyOf(environment));
      let isMoved = false;
      const moved = cluster
        .cli(
          ...(['reshard', `127.0.0.1:${from.port}`, '--cluster-from', await cluster.idOf(from)] as const),
          ...['--cluster-to', await cluster.idOf(to), '--cluster-slots', String(slots), '--cluster-yes'],
        )
        .finally(() => (isMoved = true));
      while (!isMoved) await takeSome();
      await moved;
      await cluster.ownerAfter(keyOf(environment), from);
      await cluster.ready();
    }
    await takeAll();
    await expectProjection();
  });

  /** An environment of one of the first slots of all, which are the first of whoever owns them. */
  async function earlySlot(): Promise<string> {
    for (let number = 0; ; number += 1) {
      const environment = `reshard-${number}`;
      if (Number(await cluster.nodes[0]!.command('CLUSTER', 'KEYSLOT', keyOf(environment))) < 100) return environment;
    }
  }
});
