import { Test, type TestingModule } from '@nestjs/testing';
import type { JsonObject } from '@moon/events';
import { JobQueues, PostgresJobLedger, QueuesModule, RunRegistry, type JobProcessor } from '@moon/infra';
import { startTestServer, type TestServer } from '../../libs/infra/src/testing/postgres';
import type { TestRedis } from '../../libs/infra/src/testing/redis';
import { startTestRedisCluster, type TestRedisCluster } from '../../libs/infra/src/testing/redis-cluster';
import { beginSlotMove } from '../../libs/infra/src/testing/redis-slot-move';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Of the slot of all queues. */
const KEY = '{moon-test-jobs}';

describe('long jobs on queues in a Redis Cluster', () => {
  let postgres: TestServer;
  let registry: RunRegistry;
  let ledger: PostgresJobLedger;
  let cluster: TestRedisCluster;
  let app: TestingModule;
  let queues: JobQueues;
  let problems: string[];

  beforeAll(async () => {
    postgres = await startTestServer();
    registry = await RunRegistry.open(postgres.access);
    ledger = new PostgresJobLedger(postgres.access.app);
    cluster = await startTestRedisCluster();
  }, 120_000);
  afterAll(async () => {
    await cluster.stop();
    await ledger.close();
    await registry.close();
    await postgres.stop();
  });
  beforeEach(async () => {
    // Claims last longer than a failover here: a job that is lost is found by the ledger, not by its claim.
    const options = { redis: cluster.config, ledger, stalledEveryMs: 500, compareEveryMs: 300 };
    problems = [];
    const onError = ({ message }: Error): void => void problems.push(message);
    app = await Test.createTestingModule({ imports: [QueuesModule.forRoot({ ...options, onError })] }).compile();
    await app.init();
    queues = app.get(JobQueues);
  });
  afterEach(async () => {
    await app.close();
    await cluster.mend();
  });

  /** Counts attempts and effects of each job; each waits until it is let go. */
  const counting = () => {
    const [attempts, effects] = [new Map<string, number>(), new Map<string, number>()];
    const count = (of: Map<string, number>, jobId: string): void => void of.set(jobId, (of.get(jobId) ?? 0) + 1);
    let letGo: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    const processor: JobProcessor = {
      work: async ({ jobId }) => {
        count(attempts, jobId);
        await gate;
        return {
          effect: (): Promise<JsonObject> => {
            count(effects, jobId);
            return Promise.resolve({});
          },
        };
      },
    };
    return { attempts, effects, processor, letGo };
  };
  const ended = async (jobId: string): Promise<string> => {
    for (;;) {
      const { status } = await queues.find(jobId);
      if (status !== 'waiting') return status;
      await pause(50);
    }
  };
  /** Five jobs, one of which is at work when the fault strikes; then five more, added before the failover is over. */
  const play = async (name: string, fault: (owner: TestRedis) => Promise<void>): Promise<void> => {
    const { attempts, effects, processor, letGo } = counting();
    queues.process('reports', processor);
    const add = (from: number) =>
      Promise.all([0, 1, 2, 3, 4].map((number) => queues.add('reports', { name, number: from + number })));
    const jobs = await add(0);
    while (attempts.size === 0) await pause(20);
    await fault(await cluster.owner(KEY));
    jobs.push(...(await add(5)));
    letGo();
    for (const { jobId } of jobs) expect(await ended(jobId)).toBe('done');
    const once = new Map(jobs.map(({ jobId }) => [jobId, 1]));
    expect(effects).toEqual(once);
    expect(attempts).toEqual(once);
  };

  it('each job has one attempt and one effect', async () => {
    await play('calm', () => Promise.resolve());
  });

  it('the owner of the slot is killed while a job is at work: every job is done, once', async () => {
    await play('killed', (owner) => cluster.kill(owner));
  });

  it('the owner freezes, and wakes when it is none any more: every job is done, once', async () => {
    await play('frozen', async (owner) => {
      cluster.pause(owner);
      await cluster.ownerAfter(KEY, owner);
      cluster.resume(owner);
    });
  });

  it('the owner freezes and stays so: every job is done, once', async () => {
    await play('still', (owner) => Promise.resolve(cluster.pause(owner)));
  });

  it('the slot goes to another node: every job is done, once', async () => {
    await play('moved', async () => {
      const move = await beginSlotMove(cluster, KEY, await cluster.otherPrimary(KEY));
      await move.keys(2);
      // Half of the keys are here, half are there, and it is felt.
      while (!problems.some((problem) => /ASK|TRYAGAIN|non local key/.test(problem))) await pause(20);
      await move.end();
    });
  });
});
