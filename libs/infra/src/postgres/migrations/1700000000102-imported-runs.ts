import type { MigrationInterface, QueryRunner } from 'typeorm';

const MODES = "CHECK (mode IN ('live', 'synthetic', 'recorded', 'imported'))";
const OLD_MODES = "CHECK (mode IN ('live', 'synthetic', 'recorded'))";

/** Imported logs (market data only, no portfolios), and when a run was last opened: which one is the latest. */
export class ImportedRuns1700000000102 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE runs DROP CONSTRAINT runs_mode_check, ADD CONSTRAINT runs_mode_check ${MODES}`);
    await runner.query('ALTER TABLE runs ADD COLUMN used_at timestamptz(3) NOT NULL DEFAULT now()');
    await runner.query('UPDATE runs SET used_at = opened_at');
    await runner.query('GRANT UPDATE (used_at) ON runs TO moon_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE runs DROP COLUMN used_at');
    // The registry forgets imported logs; their databases stay.
    await runner.query("DELETE FROM runs WHERE mode = 'imported'");
    await runner.query(`ALTER TABLE runs DROP CONSTRAINT runs_mode_check, ADD CONSTRAINT runs_mode_check ${OLD_MODES}`);
  }
}
