import { UnknownJob } from '@moon/kernel';
import { startTestServer, type TestServer } from '../testing/postgres';
import { PostgresJobLedger } from './job-ledger';
import { RunRegistry } from './runs';

describe('the ledger of jobs', () => {
  let test: TestServer;
  let ledger: PostgresJobLedger;
  beforeAll(async () => {
    test = await startTestServer();
    await (await RunRegistry.open(test.access)).close();
    ledger = new PostgresJobLedger(test.access.app);
  }, 60_000);
  afterAll(async () => {
    await ledger.close();
    await test.stop();
  });

  it('accepts a job once and knows what is still to be done, oldest first', async () => {
    const first = await ledger.accept({ jobId: 'a', queue: 'reports', payload: { zulu: 1, a: '☃' } });
    expect(first).toMatchObject({ jobId: 'a', status: 'waiting', result: null, reason: null, endedAt: null });
    expect(JSON.stringify(first.payload)).toBe('{"zulu":1,"a":"☃"}');
    expect(await ledger.accept({ jobId: 'a', queue: 'reports', payload: { other: true } })).toEqual(first);
    await ledger.accept({ jobId: 'b', queue: 'reports', payload: {} });
    await ledger.accept({ jobId: 'c', queue: 'backtests', payload: {} });
    expect((await ledger.waiting('reports')).map(({ jobId }) => jobId)).toEqual(['a', 'b']);
    expect(await ledger.find('none')).toBeNull();
  });

  it('brings an effect about once, however many are at it at one time', async () => {
    await ledger.accept({ jobId: 'once', queue: 'q', payload: {} });
    let effects = 0;
    const effect = async () => {
      effects += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { reportId: `r${effects}` };
    };
    const other = new PostgresJobLedger(test.access.app);
    try {
      const all = await Promise.all([ledger, other, ledger].map((one) => one.once('once', effect)));
      expect(effects).toBe(1);
      expect(all.filter(({ isOwn }) => isOwn)).toHaveLength(1);
      for (const { job } of all) expect(job).toMatchObject({ status: 'done', result: { reportId: 'r1' } });
      expect((await ledger.accept({ jobId: 'once', queue: 'q', payload: {} })).status).toBe('done');
    } finally {
      await other.close();
    }
  });

  it('goes on waiting for an effect that failed', async () => {
    await ledger.accept({ jobId: 'again', queue: 'q', payload: {} });
    const failing = ledger.once('again', () => Promise.reject(new Error('The disk is full.')));
    await expect(failing).rejects.toThrow('The disk is full.');
    expect((await ledger.find('again'))?.status).toBe('waiting');
    expect((await ledger.once('again', () => Promise.resolve({}))).isOwn).toBe(true);
  });

  it.each(['failed', 'cancelled'] as const)(
    'a job that is %s waits again once it is asked for again',
    async (status) => {
      const job = { jobId: `${status}-first`, queue: 'reopened', payload: { a: 1 } };
      const first = await ledger.accept(job);
      await ledger.end(job.jobId, status, 'The disk is full.');
      expect(await ledger.waiting('reopened')).toEqual([]);
      const again = await ledger.accept(job);
      expect(again).toEqual({ ...first, acceptedAt: again.acceptedAt });
      expect(again.acceptedAt).toBeGreaterThanOrEqual(first.acceptedAt);
      expect(await ledger.waiting('reopened')).toEqual([again]);
      const effect = jest.fn(() => Promise.resolve({ number: 1 }));
      expect(await ledger.once(job.jobId, effect)).toMatchObject({ isOwn: true, job: { status: 'done' } });
      expect(await ledger.accept(job)).toMatchObject({ status: 'done', result: { number: 1 } });
      await ledger.once(job.jobId, effect);
      expect(effect).toHaveBeenCalledTimes(1);
    },
  );

  it('keeps how a job ended: what is cancelled has no effect, what is done is not cancelled', async () => {
    await ledger.accept({ jobId: 'off', queue: 'q', payload: {} });
    expect(await ledger.end('off', 'cancelled', 'An operator did.')).toMatchObject({ status: 'cancelled' });
    const effect = jest.fn(() => Promise.resolve({}));
    expect(await ledger.once('off', effect)).toMatchObject({ isOwn: false, job: { status: 'cancelled' } });
    expect(effect).not.toHaveBeenCalled();
    await ledger.accept({ jobId: 'on', queue: 'q', payload: {} });
    await ledger.once('on', () => Promise.resolve({}));
    expect(await ledger.end('on', 'failed', 'late')).toMatchObject({ status: 'done', reason: null });
    await expect(ledger.once('none', effect)).rejects.toThrow(UnknownJob);
  });
});
