import type { MigrationInterface, QueryRunner } from 'typeorm';

const POLICY = [
  // Who keeps bus events for longer than a year keeps the journals that name them as long.
  'ALTER TABLE retention_policy ADD COLUMN keep_journal interval',
  'UPDATE retention_policy SET keep_journal = keep',
  `ALTER TABLE retention_policy ALTER COLUMN keep_journal SET NOT NULL,
    ADD CONSTRAINT retention_policy_keep_journal_check CHECK (keep_journal >= INTERVAL '1 day')`,
];

const DROPS = [
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
    -- SHA-256 over the SHA-256 of each batch, in their order.
    digest bytea NOT NULL,
    dropped_at timestamptz NOT NULL DEFAULT now()
  )`,
  'CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON journal_drops FOR EACH ROW EXECUTE FUNCTION refuse_change()',
  'CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON journal_drops EXECUTE FUNCTION refuse_change()',
];

/**
 * The rule itself, whoever deletes: what goes has expired, was the shard's beginning, is below its checkpoints and leaves at
 * least one batch, by which a reader sees that the beginning is missing. And it is written down.
 */
const RULE = [
  `CREATE FUNCTION note_journal_drop() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
  DECLARE
    cutoff timestamptz := now() - (SELECT keep_journal FROM retention_policy);
    lost record;
  BEGIN
    FOR lost IN
      SELECT shard, min(after_seq) AS after_seq, max(to_seq) AS to_seq, count(*) AS batches,
        max(appended_at) AS appended_at, sha256(string_agg(sha256(convert_to(concat_ws(E'\\x1f', shard, after_seq, to_seq, epoch,
          published_seq, round(date_part('epoch', appended_at) * 1000)::bigint, entries), 'UTF8')), ''::bytea
          ORDER BY after_seq)) AS digest
      FROM gone GROUP BY shard
    LOOP
      IF lost.appended_at >= cutoff
        OR lost.to_seq > coalesce((SELECT min(seq) FROM shard_checkpoints WHERE shard = lost.shard), 0)
        OR NOT EXISTS (SELECT FROM journal WHERE shard = lost.shard)
        OR (SELECT min(after_seq) FROM journal WHERE shard = lost.shard) < lost.to_seq THEN
        RAISE EXCEPTION 'The journal is immutable: DELETE is refused' USING ERRCODE = 'MN403';
      END IF;
      INSERT INTO journal_drops (shard, after_seq, to_seq, batches, last_appended_at, digest)
      VALUES (lost.shard, lost.after_seq, lost.to_seq, lost.batches, lost.appended_at, lost.digest);
    END LOOP;
    RETURN NULL;
  END
  $$`,
  // The first batches are asked for again and again: what was dropped must not pile up before them.
  'ALTER TABLE journal SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000)',
  'DROP TRIGGER refuse_change ON journal',
  'CREATE TRIGGER refuse_change BEFORE UPDATE ON journal FOR EACH ROW EXECUTE FUNCTION refuse_change()',
  `CREATE TRIGGER note_drop AFTER DELETE ON journal REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION note_journal_drop()`,
];

/*
 * Drops at most so many batches (10,000 at most) of one shard, the first in which something has expired; returns the drop, or
 * nothing. Little in one transaction: while one is open, the relay publishes nothing newer. With the owner's rights, as
 * drop_expired_events: of what the rule asks for, the age is out of the application's hands.
 */
const DROP = [
  `CREATE FUNCTION drop_expired_journal(most bigint) RETURNS SETOF journal_drops
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
  DECLARE
    cutoff timestamptz := now() - (SELECT keep_journal FROM retention_policy);
    kept record;
    bound bigint := greatest(1, least(coalesce(most, 1000), 10000));
  BEGIN
    FOR kept IN SELECT shard, min(seq) AS seq FROM shard_checkpoints GROUP BY shard ORDER BY shard LOOP
      CONTINUE WHEN NOT coalesce((SELECT appended_at < cutoff AND to_seq <= kept.seq FROM journal
        WHERE shard = kept.shard ORDER BY after_seq LIMIT 1), false);
      WITH
        first_ones AS (SELECT after_seq, to_seq, appended_at, lead(after_seq) OVER (ORDER BY after_seq) IS NULL AS is_last
          FROM (SELECT * FROM journal WHERE shard = kept.shard ORDER BY after_seq LIMIT bound + 1) AS j),
        expired AS (SELECT after_seq, bool_and(to_seq <= kept.seq AND appended_at < cutoff AND NOT is_last)
          OVER (ORDER BY after_seq) AS goes FROM first_ones)
        DELETE FROM journal j USING expired
        WHERE j.shard = kept.shard AND j.after_seq = expired.after_seq AND expired.goes;
      IF FOUND THEN
        RETURN QUERY SELECT * FROM journal_drops WHERE shard = kept.shard ORDER BY id DESC LIMIT 1;
        RETURN;
      END IF;
    END LOOP;
  END
  $$`,
  'REVOKE ALL ON FUNCTION drop_expired_journal(bigint) FROM PUBLIC',
  'GRANT EXECUTE ON FUNCTION drop_expired_journal(bigint) TO moon_app',
  'GRANT SELECT ON journal_drops TO moon_app',
];

/** Journals of shards expire, too (ADR 0045). */
export class JournalRetention1700000000206 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Triggers change under a lock that appends wait for: rather not now than behind somebody's long query.
    await runner.query("SET LOCAL lock_timeout = '10s'");
    for (const statement of [...POLICY, ...DROPS, ...RULE, ...DROP]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("SET LOCAL lock_timeout = '10s'");
    const [known] = (await runner.query('SELECT count(*)::integer AS drops FROM journal_drops')) as { drops: number }[];
    if (known && known.drops > 0)
      throw new Error(
        `journal_drops has ${known.drops} rows, the only word on what the journals have lost: it is not dropped.`,
      );
    await runner.query('ALTER TABLE journal RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)');
    await runner.query('DROP FUNCTION drop_expired_journal');
    await runner.query('DROP TRIGGER note_drop ON journal');
    await runner.query('DROP FUNCTION note_journal_drop');
    await runner.query('DROP TRIGGER refuse_change ON journal');
    await runner.query(
      'CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON journal FOR EACH ROW EXECUTE FUNCTION refuse_change()',
    );
    await runner.query('DROP TABLE journal_drops');
    await runner.query('ALTER TABLE retention_policy DROP COLUMN keep_journal');
  }
}
