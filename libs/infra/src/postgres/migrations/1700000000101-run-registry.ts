import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The registry of runs, in a database of its own: each run has its own log and its own portfolios (rule 4). */
export class RunRegistry1700000000101 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE runs (
      run_id text PRIMARY KEY,
      mode text NOT NULL CHECK (mode IN ('live', 'synthetic', 'recorded')),
      fingerprint text,
      database text NOT NULL UNIQUE,
      status text NOT NULL CHECK (status IN ('open', 'finished')),
      opened_at timestamptz(3) NOT NULL DEFAULT now(),
      finished_at timestamptz(3),
      details json NOT NULL,
      result json,
      CHECK ((mode = 'recorded') = (fingerprint IS NOT NULL))
    )`);
    await runner.query('CREATE INDEX runs_fingerprint ON runs (fingerprint, opened_at)');
    await runner.query('GRANT SELECT, INSERT ON runs TO moon_app');
    await runner.query('GRANT UPDATE (status, finished_at, result) ON runs TO moon_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE runs');
  }
}
