import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // As long as the bus events that journals name, at first: without those a journal says nothing.
  `ALTER TABLE retention_policy ADD COLUMN keep_journal interval NOT NULL DEFAULT INTERVAL '365 days'
    CHECK (keep_journal >= INTERVAL '1 day')`,
  // What was dropped, for good: who finds that a journal does not begin at its beginning can tell why.
  `CREATE TABLE journal_drops (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shard text NOT NULL,
    -- Exclusive.
    after_seq bigint NOT NULL,
    -- Inclusive.
    to_seq bigint NOT NULL,
    batches bigint NOT NULL,
    last_appended_at timestamptz NOT NULL,
    -- SHA-256 over the SHA-256 of each batch in their order: its fields joined by U+001F.
    digest bytea NOT NULL,
    dropped_at timestamptz NOT NULL DEFAULT now()
  )`,
  'CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON journal_drops FOR EACH ROW EXECUTE FUNCTION refuse_change()',
  'CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON journal_drops EXECUTE FUNCTION refuse_change()',
  // The rule itself, for the owner's role too: only what has expired goes, and never what a checkpoint is followed by.
  `CREATE FUNCTION refuse_journal_change() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF TG_OP = 'DELETE' THEN
      IF OLD.appended_at < now() - (SELECT keep_journal FROM retention_policy)
        AND OLD.to_seq <= (SELECT min(seq) FROM shard_checkpoints WHERE shard = OLD.shard) THEN
        RETURN OLD;
      END IF;
    END IF;
    RAISE EXCEPTION 'The journal is immutable: % is refused', TG_OP USING ERRCODE = 'MN403';
  END
  $$`,
  'DROP TRIGGER refuse_change ON journal',
  `CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION refuse_journal_change()`,
  /*
   * Drops at most so many of the oldest batches of each shard: those that have expired, are followed by none that has not, and lie
   * below all of the shard's checkpoints. One row for each shard that lost some. With the owner's rights, as drop_expired_events.
   */
  `CREATE FUNCTION drop_expired_journal(most bigint) RETURNS SETOF journal_drops
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
  DECLARE
    cutoff timestamptz := now() - (SELECT keep_journal FROM retention_policy);
    kept record;
  BEGIN
    -- Two that drop at once would write one drop down twice.
    PERFORM pg_advisory_xact_lock(hashtext('drop_expired_journal'));
    FOR kept IN SELECT shard, min(seq) AS seq FROM shard_checkpoints GROUP BY shard ORDER BY shard LOOP
      RETURN QUERY WITH
        oldest AS (SELECT j.after_seq, bool_and(j.to_seq <= kept.seq AND j.appended_at < cutoff) OVER (ORDER BY j.after_seq) AS goes
          FROM (SELECT * FROM journal WHERE shard = kept.shard ORDER BY after_seq LIMIT most) AS j),
        gone AS (DELETE FROM journal j USING oldest
          WHERE j.shard = kept.shard AND j.after_seq = oldest.after_seq AND oldest.goes
          RETURNING j.after_seq, j.to_seq, j.appended_at, sha256(convert_to(
            concat_ws(E'\\x1f', j.after_seq, j.to_seq, j.epoch, j.published_seq, j.entries), 'UTF8')) AS hash)
        INSERT INTO journal_drops (shard, after_seq, to_seq, batches, last_appended_at, digest)
          SELECT kept.shard, min(gone.after_seq), max(gone.to_seq), count(*), max(gone.appended_at),
            sha256(string_agg(gone.hash, ''::bytea ORDER BY gone.after_seq))
          FROM gone HAVING count(*) > 0
        RETURNING *;
    END LOOP;
  END
  $$`,
  'REVOKE ALL ON FUNCTION drop_expired_journal(bigint) FROM PUBLIC',
  'GRANT EXECUTE ON FUNCTION drop_expired_journal(bigint) TO moon_app',
  'GRANT SELECT ON journal_drops TO moon_app',
];

/** Journals of shards expire, too: below their checkpoints and by policy, each drop written down. */
export class JournalRetention1700000000206 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION drop_expired_journal');
    await runner.query('DROP TRIGGER refuse_change ON journal');
    await runner.query(
      'CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON journal FOR EACH ROW EXECUTE FUNCTION refuse_change()',
    );
    await runner.query('DROP FUNCTION refuse_journal_change');
    await runner.query('DROP TABLE journal_drops');
    await runner.query('ALTER TABLE retention_policy DROP COLUMN keep_journal');
  }
}
