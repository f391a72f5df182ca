import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ADVANCE_STREAMS } from './parts';

/**
 * Creates the partitions of the given months (any instant in each) where they are missing. It runs with the owner's
 * rights, so that the application can make room for its events and can do nothing else to the tables.
 */
const ENSURE_PARTITIONS = `
CREATE FUNCTION ensure_partitions(months timestamptz[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  month date;
  parent text;
  part text;
BEGIN
  FOREACH parent IN ARRAY ARRAY['events', 'stream_events'] LOOP
    -- A hypertable makes its chunks by itself.
    CONTINUE WHEN NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = parent::regclass);
    PERFORM pg_advisory_xact_lock(hashtext('ensure_partitions'));
    FOR month IN SELECT DISTINCT date_trunc('month', instant)::date FROM unnest(months) AS instant ORDER BY 1 LOOP
      part := format('%s_%s', parent, to_char(month, 'YYYY_MM'));
      CONTINUE WHEN to_regclass(part) IS NOT NULL;
      -- Attaching takes a weaker lock on the parent than CREATE TABLE .. PARTITION OF: readers and writers go on.
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, parent);
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        parent, part, month::timestamptz, (month + INTERVAL '1 month')::timestamptz);
      EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I EXECUTE FUNCTION refuse_change()', part);
    END LOOP;
  END LOOP;
END
$$`;

const INSERT_ROWS = (table: string, rows: string): string => `
    INSERT INTO ${table} (event_id, occurred_at, seq, correlation_id, causation_id, version, schema_version,
      type, source, key, token, stream_id, data, headers)
    SELECT id, to_timestamp(at / 1000.0), seq, correlation, causation, version, schema,
      type, source, key, token, stream, data, headers
    FROM json_to_recordset(${rows}) AS row(id uuid, at bigint, seq bigint, correlation uuid, causation uuid,
      version bigint, schema integer, type text, source text, key text, token text, stream text, data json, headers json);`;

/**
 * Appends one batch in one round trip and one transaction. The batch claims its range of positions first. A second
 * attempt at the same batch, while the first is still being committed, waits at the primary key and fails there; so do
 * two writers that both go on after the same last event. An exclusion constraint would say the same at four times the cost.
 * Raises MN410 when a position is taken, MN409 with the streams as JSON in DETAIL when one is not at its version.
 */
const APPEND_LOG = `
CREATE FUNCTION append_log(
  first_position bigint, last_position bigint, from_ms bigint, to_ms bigint, bus_rows json, stream_rows json,
  stream_ids text[], expected_versions bigint[], new_versions bigint[], wake_relay boolean
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  lost text[];
BEGIN
  INSERT INTO log_batches (first_seq, last_seq, from_at, to_at)
  SELECT first_position, last_position, to_timestamp(from_ms / 1000.0), to_timestamp(to_ms / 1000.0)
  WHERE first_position > coalesce(
    (SELECT last_seq FROM log_batches WHERE first_seq <= last_position ORDER BY first_seq DESC LIMIT 1), 0);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'A position of % to % is taken', first_position, last_position USING ERRCODE = 'MN410';
  END IF;
  IF stream_rows IS NOT NULL THEN
    ${ADVANCE_STREAMS}
    ${INSERT_ROWS('stream_events', 'stream_rows')}
    IF wake_relay THEN
      PERFORM pg_notify('stream_events', '');
    END IF;
  END IF;
  IF bus_rows IS NOT NULL THEN
    ${INSERT_ROWS('events', 'bus_rows')}
  END IF;
END
$$`;

const REFUSE_CHANGE = `
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The log is immutable: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'MN403';
END
$$`;

/** What may change the log: nothing. Row triggers are passed on to partitions and chunks, statement triggers are not. */
const TRIGGERS = ['events', 'stream_events', 'log_batches'].flatMap((table) => [
  `CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION refuse_change()`,
  `CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON ${table} EXECUTE FUNCTION refuse_change()`,
]);

/** The application reads and appends; nothing more. */
const PRIVILEGES = [
  'REVOKE ALL ON FUNCTION ensure_partitions(timestamptz[]) FROM PUBLIC',
  'GRANT EXECUTE ON FUNCTION ensure_partitions(timestamptz[]) TO moon_app',
  'GRANT SELECT, INSERT ON events, stream_events, log_batches TO moon_app',
  'GRANT SELECT ON log TO moon_app',
  'GRANT SELECT, INSERT, UPDATE ON streams TO moon_app',
  'GRANT USAGE ON SEQUENCE log_position TO moon_app',
];

/** Appending, making room, and the refusal of every change. */
export class LogFunctions1700000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [REFUSE_CHANGE, ENSURE_PARTITIONS, APPEND_LOG, ...TRIGGERS, ...PRIVILEGES]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('REVOKE ALL ON events, stream_events, log_batches, log, streams FROM moon_app');
    await runner.query('REVOKE ALL ON SEQUENCE log_position FROM moon_app');
    await runner.query('DROP FUNCTION append_log');
    await runner.query('DROP FUNCTION ensure_partitions');
    await runner.query('DROP FUNCTION refuse_change CASCADE');
  }
}
