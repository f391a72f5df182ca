import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Long jobs: what is wanted, and what has been done. The queues in Redis are made from it. */
export class Jobs1700000000104 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE jobs (
      job_id text PRIMARY KEY,
      queue text NOT NULL,
      payload json NOT NULL,
      status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'done', 'failed', 'cancelled')),
      result json,
      reason text,
      accepted_at timestamptz(3) NOT NULL DEFAULT now(),
      ended_at timestamptz(3),
      CHECK ((status = 'waiting') = (ended_at IS NULL)),
      CHECK ((status = 'done') = (result IS NOT NULL))
    )`);
    await runner.query(`CREATE INDEX jobs_waiting ON jobs (queue, accepted_at, job_id) WHERE status = 'waiting'`);
    await runner.query('GRANT SELECT, INSERT, UPDATE ON jobs TO moon_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE jobs');
  }
}
