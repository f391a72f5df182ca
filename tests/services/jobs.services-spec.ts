import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Test, type TestingModule } from '@nestjs/testing';
import { BacktestService } from '@moon/backtesting';
import type { JsonObject } from '@moon/events';
import {
  jobIdOf,
  JobQueues,
  JobRefused,
  PostgresJobLedger,
  QueuesModule,
  ReportStore,
  RunRegistry,
  type JobProcessor,
} from '@moon/infra';
import { BacktestJobsModule } from '../../apps/api/src/backtest-jobs.module';
import { writeFixture } from '../../apps/cli/src/commands/backtest/testing';
import { startTestServer, type TestServer } from '../../libs/infra/src/testing/postgres';
import { startTestRedis, type TestRedis } from '../../libs/infra/src/testing/redis';

const WORKER = join(__dirname, '../../dist/apps/cli/src/commands/backtest/backtest.worker.js');
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('long jobs on real queues', () => {
  let postgres: TestServer;
  let registry: RunRegistry;
  let ledger: PostgresJobLedger;
  let redis: TestRedis;
  let app: TestingModule;
  let problems: string[];

  beforeAll(async () => {
    postgres = await startTestServer();
    registry = await RunRegistry.open(postgres.access);
    ledger = new PostgresJobLedger(postgres.access.app);
  }, 120_000);
  afterAll(async () => {
    await ledger.close();
    await registry.close();
    await postgres.stop();
  });
  beforeEach(async () => {
    problems = [];
    redis = await startTestRedis({ settings: { appendonly: 'yes', appendfsync: 'always' } });
  });
  afterEach(async () => {
    await app.close();
    await redis.stop();
  });

  const options = () => ({
    ...{ redis: redis.config, ledger, lockMs: 1_000, stalledEveryMs: 500, compareEveryMs: 300 },
    onError: ({ message }: Error) => problems.push(message),
  });
  const start = async (): Promise<JobQueues> => {
    app = await Test.createTestingModule({ imports: [QueuesModule.forRoot(options())] }).compile();
    await app.init();
    return app.get(JobQueues);
  };
  const ended = async (queues: JobQueues, jobId: string) => {
    for (;;) {
      const job = await queues.find(jobId);
      if (job.status !== 'waiting') return job;
      await pause(50);
    }
  };
  /** Works for a while; counts attempts and effects. */
  const counting = (workMs: number) => {
    const counts = { attempts: 0, effects: 0, aborted: 0 };
    const processor: JobProcessor = {
      work: async ({ signal, progress }) => {
        counts.attempts += 1;
        for (let step = 0; step < 20; step += 1) {
          await pause(workMs / 20);
          progress((step + 1) / 20);
          if (signal.aborted) counts.aborted += 1;
          signal.throwIfAborted();
        }
        return {
          effect: (): Promise<JsonObject> => {
            counts.effects += 1;
            return Promise.resolve({ number: counts.effects });
          },
        };
      },
    };
    return { counts, processor };
  };

  it('the same content is one job, with one attempt and one effect, however often it is asked for', async () => {
    const queues = await start();
    const { counts, processor } = counting(100);
    queues.process('reports', processor);
    const jobs = await Promise.all([1, 2, 3].map(() => queues.add('reports', { b: 1, a: [2] })));
    expect(new Set(jobs.map(({ jobId }) => jobId))).toEqual(new Set([jobIdOf('reports', { a: [2], b: 1 })]));
    expect(await ended(queues, jobs[0]!.jobId)).toMatchObject({ status: 'done', result: { number: 1 } });
    expect((await queues.add('reports', { a: [2], b: 1 })).status).toBe('done');
    await pause(500);
    expect(counts).toMatchObject({ attempts: 1, effects: 1 });
  });

  it('a job that takes longer than its claim lasts is renewed, not started twice; it says how far it is', async () => {
    const queues = await start();
    const { counts, processor } = counting(4_000);
    queues.process('reports', processor);
    const { jobId } = await queues.add('reports', { long: true });
    const shares: (number | null)[] = [];
    for (let job = await queues.find(jobId); job.status === 'waiting'; job = await queues.find(jobId)) {
      shares.push(job.progress);
      await pause(100);
    }
    expect(counts).toMatchObject({ attempts: 1, effects: 1 });
    expect(shares.some((share) => share !== null && share > 0 && share < 1)).toBe(true);
  });

  it('is cancelled while it runs, and has no effect', async () => {
    const queues = await start();
    const { counts, processor } = counting(20_000);
    queues.process('reports', processor);
    const { jobId } = await queues.add('reports', { cancelled: true });
    while (counts.attempts === 0) await pause(20);
    expect(await queues.cancel(jobId, 'An operator did.')).toMatchObject({ status: 'cancelled' });
    while (counts.aborted === 0) await pause(20);
    await pause(500);
    expect(counts).toMatchObject({ attempts: 1, effects: 0 });
    expect(await queues.find(jobId)).toMatchObject({ status: 'cancelled', reason: 'An operator did.' });
  });

  it('what failed for good is tried again when it is asked for again, with one effect', async () => {
    const queues = await start();
    let isBroken = true;
    let [attempts, effects] = [0, 0];
    queues.process('reports', {
      work: () => {
        attempts += 1;
        if (isBroken) throw new JobRefused('The file is missing.');
        return Promise.resolve({ effect: () => Promise.resolve({ number: (effects += 1) }) });
      },
    });
    const { jobId } = await queues.add('reports', { missing: true });
    expect(await ended(queues, jobId)).toMatchObject({ status: 'failed', reason: 'The file is missing.' });
    isBroken = false;
    expect(await queues.add('reports', { missing: true })).toMatchObject({ jobId, status: 'waiting', reason: null });
    expect(await ended(queues, jobId)).toMatchObject({ status: 'done', result: { number: 1 } });
    expect(await queues.add('reports', { missing: true })).toMatchObject({ status: 'done' });
    await pause(500);
    expect([attempts, effects]).toEqual([2, 1]);
  });

  it('what was cancelled at work and is asked for again at once is done, with one effect', async () => {
    const queues = await start();
    const { counts, processor } = counting(1_000);
    queues.process('reports', processor);
    for (let round = 1; round <= 4; round += 1) {
      const { jobId } = await queues.add('reports', { again: true });
      while (counts.attempts < round) await pause(20);
      await queues.cancel(jobId, 'An operator did.');
    }
    const { jobId } = await queues.add('reports', { again: true });
    expect(await ended(queues, jobId)).toMatchObject({ status: 'done', result: { number: 1 } });
    expect(counts).toMatchObject({ attempts: 5, effects: 1, aborted: 4 });
    expect(problems.filter((problem) => !problem.includes('ECONNREFUSED'))).toEqual([]);
  });

  it('a stop is no failed attempt: after more restarts than there are attempts the job is done', async () => {
    const { counts, processor } = counting(3_000);
    let jobId = '';
    for (let restart = 1; restart <= 4; restart += 1) {
      const queues = await start();
      queues.process('reports', processor);
      ({ jobId } = await queues.add('reports', { restarted: true }));
      while (counts.attempts < restart) await pause(20);
      const stopping = performance.now();
      await app.close();
      expect(performance.now() - stopping).toBeLessThan(2_000);
      expect((await ledger.find(jobId))?.status).toBe('waiting');
    }
    const queues = await start();
    queues.process('reports', processor);
    expect(await ended(queues, jobId)).toMatchObject({ status: 'done', result: { number: 1 } });
    expect(counts).toMatchObject({ attempts: 5, effects: 1 });
    expect(problems.filter((problem) => !problem.includes('ECONNREFUSED'))).toEqual([]);
  });

  it('Redis killed and started again empty: what it lost is added again, and each effect happens once', async () => {
    const queues = await start();
    const { counts, processor } = counting(200);
    const jobs = await Promise.all([1, 2, 3, 4, 5].map((number) => queues.add('notifications', { number })));
    await redis.kill();
    await redis.start();
    await redis.command('FLUSHALL');
    queues.process('notifications', processor);
    for (const { jobId } of jobs) expect((await ended(queues, jobId)).status).toBe('done');
    await pause(500);
    expect(counts.effects).toBe(5);
  });

  it('a real backtest: Redis killed in its middle, one report is kept', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'moon-jobs-'));
    const reports = new ReportStore(postgres.access.app);
    try {
      const { config } = writeFixture(folder, 6_000);
      app = await Test.createTestingModule({
        imports: [
          BacktestJobsModule.with({
            queues: options(),
            backtests: {
              ...{ service: new BacktestService({ worker: WORKER }), access: postgres.access, registry },
              ...{ codeVersion: '0.1.0', commit: null },
            },
          }),
        ],
      }).compile();
      await app.init();
      const queues = app.get(JobQueues);
      const payload = { config: JSON.parse(readFileSync(config, 'utf8')) as JsonObject, folder };
      const { jobId } = await queues.add('backtests', payload);
      while (((await queues.find(jobId)).progress ?? 0) === 0 && (await queues.find(jobId)).status === 'waiting')
        await pause(20);
      await redis.kill();
      // It was killed in the middle: the run goes on, its report is still to come.
      expect((await ledger.find(jobId))?.status).toBe('waiting');
      await pause(1_500);
      await redis.start();
      const job = await ended(queues, jobId);
      expect(job).toMatchObject({ status: 'done', result: { reportId: jobId } });
      expect((await queues.add('backtests', payload)).status).toBe('done');
      await pause(1_500);
      const kept = await reports.find(jobId);
      expect(kept).toHaveLength(1);
      expect(kept[0]).toMatchObject({ reportId: jobId, status: 'complete' });
      const { run } = await registry.openRun({ mode: 'backtest' });
      const log = registry.openStore(run);
      const completed = await log.query({ types: ['backtest.completed'], limit: 10 });
      await log.close();
      expect(
        completed.rows.filter(({ event }) => (event.data as { reportId?: string }).reportId === jobId),
      ).toHaveLength(1);
    } finally {
      await reports.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
