import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A tree of three levels below its root, 1024 children each: leaves are hashes of the events' texts, in the order of
 * (occurred_at, position). One that was exported before the drop can be proven to have been in it.
 */
export const MERKLE_ROOT = `CREATE FUNCTION events_merkle_root(from_time timestamptz, to_time timestamptz,
    OUT events bigint, OUT first_position bigint, OUT last_position bigint, OUT root bytea)
  LANGUAGE sql STABLE AS $$
    WITH leaves AS (
      SELECT position, row_number() OVER (ORDER BY occurred_at, position) - 1 AS place,
        sha256(convert_to(concat_ws(E'\\x1f', event_id, round(date_part('epoch', occurred_at) * 1000)::bigint, type,
          schema_version, source, key, coalesce(correlation_id, event_id), coalesce(causation_id::text, '-'),
          data::text, coalesce(headers::text, '-')), 'UTF8')) AS hash
      FROM events WHERE occurred_at >= from_time AND occurred_at < to_time),
    first_level AS (
      SELECT place / 1024 AS place, sha256(string_agg(hash, ''::bytea ORDER BY place)) AS hash FROM leaves GROUP BY 1),
    second_level AS (
      SELECT place / 1024 AS place, sha256(string_agg(hash, ''::bytea ORDER BY place)) AS hash FROM first_level GROUP BY 1)
    SELECT (SELECT count(*) FROM leaves), (SELECT min(position) FROM leaves), (SELECT max(position) FROM leaves),
      (SELECT sha256(coalesce(string_agg(hash, ''::bytea ORDER BY place), ''::bytea)) FROM second_level)
  $$`;

/**
 * Drops the oldest part of events that the policy lets go, if there is one, and writes down what it was, in one
 * transaction. With the owner's rights: the application can ask for it and choose nothing. Streams are never dropped.
 */
export const DROP_EVENTS = `CREATE FUNCTION drop_expired_events() RETURNS SETOF log_drops
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
  DECLARE
    expired record;
    known record;
  BEGIN
    -- Two that drop at once would write one drop down twice.
    PERFORM pg_advisory_xact_lock(hashtext('drop_expired_events'));
    SELECT * INTO expired FROM expired_parts(now() - (SELECT keep FROM retention_policy)) LIMIT 1;
    IF NOT FOUND THEN
      RETURN;
    END IF;
    -- Late events would be dropped without having been counted.
    EXECUTE format('LOCK TABLE %s IN SHARE MODE', expired.part);
    SELECT * INTO known FROM events_merkle_root(expired.from_time, expired.to_time);
    IF expired.is_chunk THEN
      EXECUTE 'SELECT drop_chunks(''events'', older_than => $1::timestamptz, newer_than => $2::timestamptz)'
        USING expired.to_time, expired.from_time;
    ELSE
      EXECUTE format('DROP TABLE %I', expired.part);
    END IF;
    -- Where they stood on the broker serves nobody any more.
    DELETE FROM bus_references WHERE occurred_at >= expired.from_time AND occurred_at < expired.to_time;
    RETURN QUERY INSERT INTO log_drops (from_at, to_at, events, first_position, last_position, merkle_root)
      VALUES (expired.from_time, expired.to_time, known.events, known.first_position, known.last_position, known.root)
      RETURNING *;
  END
  $$`;

const UP = [
  // One row: how long bus events are kept. Only the owner can change it, so the application cannot drop at will.
  `CREATE TABLE retention_policy (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    keep interval NOT NULL CHECK (keep >= INTERVAL '1 day')
  )`,
  "INSERT INTO retention_policy (keep) VALUES (INTERVAL '365 days')",
  // What was dropped, for good: without it, a cause that is gone could not be told from one that never was.
  `CREATE TABLE log_drops (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Bounds of the chunk or partition.
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    events bigint NOT NULL,
    first_position bigint,
    last_position bigint,
    merkle_root bytea NOT NULL,
    dropped_at timestamptz NOT NULL DEFAULT now()
  )`,
  'CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON log_drops FOR EACH ROW EXECUTE FUNCTION refuse_change()',
  'CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON log_drops EXECUTE FUNCTION refuse_change()',
  MERKLE_ROOT,
  // Chunks of a hypertable, or monthly partitions, that end before a time; the oldest first.
  `CREATE FUNCTION expired_parts(cutoff timestamptz)
  RETURNS TABLE (part text, from_time timestamptz, to_time timestamptz, is_chunk boolean)
  LANGUAGE plpgsql STABLE SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
  BEGIN
    IF EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = 'events'::regclass) THEN
      RETURN QUERY SELECT p.name, p.month, p.month + INTERVAL '1 month', false
        FROM (SELECT c.relname::text AS name, to_date(right(c.relname, 7), 'YYYY_MM')::timestamptz AS month
          FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'events'::regclass) AS p
        WHERE p.month + INTERVAL '1 month' <= cutoff ORDER BY p.month;
    ELSE
      RETURN QUERY EXECUTE 'SELECT format(''%I.%I'', chunk_schema, chunk_name), range_start, range_end, true
        FROM timescaledb_information.chunks WHERE hypertable_name = ''events'' AND hypertable_schema = ''public''
          AND range_end <= $1 ORDER BY range_start' USING cutoff;
    END IF;
  END
  $$`,
  DROP_EVENTS,
  'REVOKE ALL ON FUNCTION drop_expired_events() FROM PUBLIC',
  'GRANT EXECUTE ON FUNCTION drop_expired_events() TO moon_app',
  'GRANT SELECT ON log_drops, retention_policy TO moon_app',
];

/** Retention of bus events (rule 29): by policy, whole chunks at a time, each drop written down. */
export class Retention1700000000202 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION drop_expired_events');
    await runner.query('DROP FUNCTION expired_parts');
    await runner.query('DROP FUNCTION events_merkle_root');
    await runner.query('DROP TABLE log_drops, retention_policy');
  }
}
