import type { MigrationInterface, QueryRunner } from 'typeorm';

const MODES = "CHECK (mode IN ('live', 'synthetic', 'recorded', 'imported', 'backtest'))";
const OLD_MODES = "CHECK (mode IN ('live', 'synthetic', 'recorded', 'imported'))";

const REFUSE_CHANGE = `
CREATE FUNCTION refuse_report_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'Reports are immutable: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'MN403';
END
$$`;

/** Reports of backtests, which nothing changes any more (US3-6); and runs that hold what a backtest emitted. */
export class Reports1700000000103 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE runs DROP CONSTRAINT runs_mode_check, ADD CONSTRAINT runs_mode_check ${MODES}`);
    // The files are kept as text, byte for byte: their SHA-256 is in backtest.completed.
    await runner.query(`CREATE TABLE reports (
      report_id text PRIMARY KEY,
      name text NOT NULL,
      status text NOT NULL CHECK (status IN ('complete', 'partial')),
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      code_version text NOT NULL,
      configuration_hash text NOT NULL,
      data_fingerprint text NOT NULL,
      event_hash text,
      archived_run text,
      summary json NOT NULL,
      report_json text NOT NULL,
      report_html text NOT NULL,
      report_json_sha256 text NOT NULL,
      report_html_sha256 text NOT NULL
    )`);
    await runner.query('CREATE INDEX reports_created ON reports (created_at)');
    await runner.query(REFUSE_CHANGE);
    await runner.query(
      'CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON reports FOR EACH ROW EXECUTE FUNCTION refuse_report_change()',
    );
    await runner.query(
      'CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON reports EXECUTE FUNCTION refuse_report_change()',
    );
    await runner.query('GRANT SELECT, INSERT ON reports TO moon_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE reports');
    await runner.query('DROP FUNCTION refuse_report_change');
    // The registry forgets the logs of backtests; their databases stay.
    await runner.query("DELETE FROM runs WHERE mode = 'backtest'");
    await runner.query(`ALTER TABLE runs DROP CONSTRAINT runs_mode_check, ADD CONSTRAINT runs_mode_check ${OLD_MODES}`);
  }
}
