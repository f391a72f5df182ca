import type { JsonObject } from '@moon/events';
import { UnknownJob, type JobLedger, type JobRecord, type JobStatus } from '@moon/kernel';
import type { Login } from './access';
import { TextPool, type TextRow } from './pool';
import { REGISTRY_DATABASE } from './runs';

const MS = (column: string): string => `(date_part('epoch', ${column}) * 1000)::bigint`;
const COLUMNS = `job_id, queue, payload, status, result, reason, ${MS('accepted_at')}, ${MS('ended_at')}`;

/** What failed or was cancelled has had no effect that counts: asked for again it waits again. What is done stays done. */
const ACCEPT = `INSERT INTO jobs (job_id, queue, payload) VALUES ($1, $2, $3::json)
  ON CONFLICT (job_id) DO UPDATE SET status = 'waiting', reason = NULL, ended_at = NULL, accepted_at = now()
  WHERE jobs.status IN ('failed', 'cancelled')`;

/** An end is written once: whoever comes second changes nothing. */
const END = `UPDATE jobs SET status = $2, result = $3::json, reason = $4, ended_at = now()
  WHERE job_id = $1 AND status = 'waiting'`;

/** Jobs in the registry's database, which must be at the newest schema (`RunRegistry.open`). */
export class PostgresJobLedger implements JobLedger {
  private readonly pool: TextPool;

  constructor(login: Login, options: { connections?: number } = {}) {
    this.pool = new TextPool(login, REGISTRY_DATABASE, { connections: options.connections ?? 4 });
  }

  async accept({ jobId, queue, payload }: Pick<JobRecord, 'jobId' | 'queue' | 'payload'>): Promise<JobRecord> {
    await this.pool.rows('accept_job', ACCEPT, [jobId, queue, JSON.stringify(payload)]);
    return this.known(jobId);
  }

  async find(jobId: string): Promise<JobRecord | null> {
    const [row] = await this.pool.rows('find_job', `SELECT ${COLUMNS} FROM jobs WHERE job_id = $1`, [jobId]);
    return row ? fromRow(row) : null;
  }

  async waiting(queue: string): Promise<JobRecord[]> {
    const text = `SELECT ${COLUMNS} FROM jobs WHERE queue = $1 AND status = 'waiting' ORDER BY accepted_at, job_id`;
    return (await this.pool.rows('waiting_jobs', text, [queue])).map(fromRow);
  }

  /** The row is locked while the effect happens; a process that dies lets go of it. */
  async once(jobId: string, effect: () => Promise<JsonObject>): Promise<{ job: JobRecord; isOwn: boolean }> {
    const isOwn = await this.pool.transaction(async (client) => {
      // The server ends transactions that stand idle; this one does while the effect happens elsewhere.
      await client.query('SET LOCAL idle_in_transaction_session_timeout = 0');
      const { rows } = await client.query<{ status: JobStatus }>(
        'SELECT status FROM jobs WHERE job_id = $1 FOR UPDATE',
        [jobId],
      );
      if (!rows[0]) throw new UnknownJob(jobId);
      if (rows[0].status !== 'waiting') return false;
      await client.query(END, [jobId, 'done', JSON.stringify(await effect()), null]);
      return true;
    });
    return { job: await this.known(jobId), isOwn };
  }

  async end(jobId: string, status: 'failed' | 'cancelled', reason: string): Promise<JobRecord> {
    await this.pool.rows('end_job', END, [jobId, status, null, reason]);
    return this.known(jobId);
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  private async known(jobId: string): Promise<JobRecord> {
    const job = await this.find(jobId);
    if (job === null) throw new UnknownJob(jobId);
    return job;
  }
}

function fromRow([jobId, queue, payload, status, result, reason, acceptedAt, endedAt]: TextRow): JobRecord {
  return {
    ...{ jobId: jobId!, queue: queue!, payload: JSON.parse(payload!) as JsonObject, status: status as JobStatus },
    result: result == null ? null : (JSON.parse(result) as JsonObject),
    ...{ reason: reason ?? null, acceptedAt: Number(acceptedAt) },
    endedAt: endedAt == null ? null : Number(endedAt),
  };
}
