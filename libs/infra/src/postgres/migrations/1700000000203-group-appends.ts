import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Batches of several shards in one transaction: one commit, one wait for the standby. One that is refused takes back itself
 * alone. A row for each batch, in the given order: NULLs, or SQLSTATE and detail of its refusal (see append_journal).
 */
const APPEND_JOURNALS = `
CREATE FUNCTION append_journals(batches json) RETURNS TABLE (refusal text, refusal_detail text)
LANGUAGE plpgsql AS $$
DECLARE
  one record;
BEGIN
  FOR one IN SELECT * FROM json_to_recordset(batches) AS batch(shard text, epoch bigint, "after" bigint, "to" bigint,
    published bigint, entries json, rows json, streams text[], expected bigint[], versions bigint[]) LOOP
    BEGIN
      refusal := NULL;
      refusal_detail := NULL;
      PERFORM append_journal(one.shard, one.epoch, one."after", one."to", one.published, one.entries, one.rows, one.streams,
        one.expected, one.versions);
    EXCEPTION WHEN SQLSTATE 'MN411' OR SQLSTATE 'MN412' OR SQLSTATE 'MN409' THEN
      refusal := SQLSTATE;
      GET STACKED DIAGNOSTICS refusal_detail = PG_EXCEPTION_DETAIL;
    END;
    RETURN NEXT;
  END LOOP;
END
$$`;

/** Replaced every few seconds: to compress them costs the server more than anything else that it does for a shard. */
const CHECKPOINT_TEXTS = ['states', 'meta', 'positions'];
const STORAGE_OF = 'ALTER TABLE shard_checkpoints ALTER COLUMN';

/** The shards of a process store their batches together. */
export class GroupAppends1700000000203 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(APPEND_JOURNALS);
    for (const column of CHECKPOINT_TEXTS) await runner.query(`${STORAGE_OF} ${column} SET STORAGE EXTERNAL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const column of CHECKPOINT_TEXTS) await runner.query(`${STORAGE_OF} ${column} SET STORAGE EXTENDED`);
    await runner.query('DROP FUNCTION append_journals');
  }
}
