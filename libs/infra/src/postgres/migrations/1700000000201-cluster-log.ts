import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ADVANCE_STREAMS } from './parts';

const LOG_COLUMNS = `event_id, occurred_at, seq, position, tx, correlation_id, causation_id, version, schema_version,
  type, source, key, token, stream_id, data, headers, shard`;

const LOG_VIEW = `CREATE VIEW log AS
  SELECT ${LOG_COLUMNS} FROM events UNION ALL SELECT ${LOG_COLUMNS} FROM stream_events`;

/** One column at a time: a hypertable with a columnstore takes no more in one statement. */
const COLUMNS = [
  'ALTER TABLE events ADD COLUMN shard text',
  'ALTER TABLE events ADD COLUMN bus_partition integer',
  'ALTER TABLE events ADD COLUMN bus_offset bigint',
  'ALTER TABLE stream_events ADD COLUMN shard text',
  'CREATE INDEX events_bus ON events (type, bus_partition, bus_offset)',
  'CREATE INDEX events_position ON events (position)',
  'CREATE INDEX stream_events_position ON stream_events (position)',
];

const TABLES = [
  // A shard's owner and how far its journal goes. The epoch fences off whoever owned it before.
  `CREATE TABLE shards (
    shard text PRIMARY KEY,
    epoch bigint NOT NULL CHECK (epoch >= 1),
    owner text NOT NULL,
    seq bigint NOT NULL DEFAULT 0 CHECK (seq >= published_seq),
    published_seq bigint NOT NULL DEFAULT 0 CHECK (published_seq >= 0),
    claimed_at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE TABLE journal (
    shard text NOT NULL,
    after_seq bigint NOT NULL,
    to_seq bigint NOT NULL CHECK (to_seq > after_seq),
    epoch bigint NOT NULL,
    published_seq bigint NOT NULL,
    -- json, not jsonb: own inputs come back letter for letter.
    entries json NOT NULL,
    appended_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, after_seq)
  )`,
  // Text: the server has no use for the states, and parsing megabytes of them would cost it time.
  `CREATE TABLE shard_checkpoints (
    shard text NOT NULL,
    seq bigint NOT NULL,
    epoch bigint NOT NULL,
    states text NOT NULL,
    meta text NOT NULL,
    positions text NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, seq)
  )`,
  // Messages whose event is in the log for another reason: store-first events, and copies that a resend made.
  `CREATE TABLE bus_references (
    topic text NOT NULL,
    bus_partition integer NOT NULL,
    bus_offset bigint NOT NULL,
    event_id uuid NOT NULL,
    occurred_at timestamptz(3) NOT NULL,
    PRIMARY KEY (topic, bus_partition, bus_offset)
  )`,
  'ALTER TABLE relay_cursors ADD COLUMN epoch bigint NOT NULL DEFAULT 0',
  "ALTER TABLE relay_cursors ADD COLUMN owner text NOT NULL DEFAULT ''",
  'ALTER TABLE relay_cursors ADD COLUMN renewed_at timestamptz NOT NULL DEFAULT now()',
];

const ROW_TYPE = `r(id uuid, at bigint, correlation uuid, causation uuid, version bigint, schema integer, type text,
      source text, key text, token text, stream text, data json, headers json, topic text, part integer, "offset" bigint,
      shard text)`;

/** In a cluster's log the position is the sequence number, too: many writers append, and no one counts for all. */
const insertRows = (table: 'events' | 'stream_events'): string => `
  INSERT INTO ${table} (event_id, occurred_at, seq, position, correlation_id, causation_id, version, schema_version,
    type, source, key, token, stream_id, data, headers, shard${table === 'events' ? ', bus_partition, bus_offset' : ''})
  SELECT id, to_timestamp(at / 1000.0), place, place, correlation, causation, version, schema,
    type, source, key, token, stream, data, headers, ${table === 'events' ? 'shard, part, "offset"' : 'shard_name'}
  FROM (SELECT nextval('log_position') AS place, r.* FROM json_to_recordset(new_rows) AS ${ROW_TYPE}) AS placed`;

/**
 * A commit that wrote nothing does not wait for the standby. A repeat must: the first attempt may have been committed by
 * a cancelled wait. A message in the write-ahead log makes it wait, and with it for all that came before.
 */
const AWAIT_STANDBY = `PERFORM pg_logical_emit_message(true, 'moon', 'repeat');`;

/**
 * A batch of a shard and what it led to, in one round trip and one transaction. True: it was stored; false: it was there
 * already, word for word. Raises MN411 with the current epoch in DETAIL when another owner has claimed the shard, MN412
 * with the journal's end when the batch does not follow, MN409 when a stream is not at its version.
 */
const APPEND_JOURNAL = `
CREATE FUNCTION append_journal(
  shard_name text, claim_epoch bigint, batch_after bigint, batch_to bigint, batch_published bigint, batch_entries json,
  new_rows json, stream_ids text[], expected_versions bigint[], new_versions bigint[]
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  lost text[];
  held shards;
BEGIN
  UPDATE shards SET seq = batch_to, published_seq = greatest(published_seq, batch_published)
  WHERE shard = shard_name AND epoch = claim_epoch AND seq = batch_after;
  IF NOT FOUND THEN
    -- A statement of its own: it sees what was committed while the update waited.
    SELECT * INTO held FROM shards WHERE shard = shard_name;
    IF held.epoch IS DISTINCT FROM claim_epoch THEN
      RAISE EXCEPTION 'Another owner has claimed the shard' USING ERRCODE = 'MN411', DETAIL = coalesce(held.epoch, 0)::text;
    END IF;
    PERFORM FROM journal
    WHERE shard = shard_name AND after_seq = batch_after AND to_seq = batch_to AND epoch = claim_epoch
      AND published_seq = batch_published AND entries::text = batch_entries::text;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'The batch does not follow' USING ERRCODE = 'MN412', DETAIL = held.seq::text;
    END IF;
    ${AWAIT_STANDBY}
    RETURN false;
  END IF;
  INSERT INTO journal (shard, after_seq, to_seq, epoch, published_seq, entries)
  VALUES (shard_name, batch_after, batch_to, claim_epoch, batch_published, batch_entries);
  IF new_rows IS NOT NULL THEN
    ${ADVANCE_STREAMS}
    ${insertRows('stream_events')};
    PERFORM pg_notify('stream_events', '');
  END IF;
  RETURN true;
END
$$`;

/** Keeps the last three. Raises MN411 for an owner that is none any more, MN412 for a state that no journal holds. */
const SAVE_CHECKPOINT = `
CREATE FUNCTION save_shard_checkpoint(
  shard_name text, claim_epoch bigint, new_seq bigint, new_states text, new_meta text, new_positions text
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  held shards;
BEGIN
  SELECT * INTO held FROM shards WHERE shard = shard_name FOR NO KEY UPDATE;
  IF held.epoch IS DISTINCT FROM claim_epoch THEN
    RAISE EXCEPTION 'Another owner has claimed the shard' USING ERRCODE = 'MN411', DETAIL = coalesce(held.epoch, 0)::text;
  END IF;
  IF new_seq > held.seq THEN
    RAISE EXCEPTION 'The journal does not reach that far' USING ERRCODE = 'MN412', DETAIL = held.seq::text;
  END IF;
  INSERT INTO shard_checkpoints (shard, seq, epoch, states, meta, positions)
  VALUES (shard_name, new_seq, claim_epoch, new_states, new_meta, new_positions)
  ON CONFLICT (shard, seq) DO UPDATE SET epoch = excluded.epoch, states = excluded.states, meta = excluded.meta,
    positions = excluded.positions, saved_at = now();
  DELETE FROM shard_checkpoints WHERE shard = shard_name AND seq NOT IN (
    SELECT seq FROM shard_checkpoints WHERE shard = shard_name ORDER BY seq DESC LIMIT 3);
END
$$`;

/**
 * Messages of the broker as the recorder read them: bus-first events become rows, of the others the place is noted.
 * Returns how many events were new.
 */
const ARCHIVE = `
CREATE FUNCTION archive_messages(new_rows json, known_rows json) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  stored bigint := 0;
  given bigint := coalesce(json_array_length(new_rows), 0);
BEGIN
  IF new_rows IS NOT NULL THEN
    ${insertRows('events')}
    ON CONFLICT (event_id, occurred_at) DO NOTHING;
    GET DIAGNOSTICS stored = ROW_COUNT;
  END IF;
  IF stored < given THEN
    INSERT INTO bus_references (topic, bus_partition, bus_offset, event_id, occurred_at)
    SELECT r.topic, r.part, r."offset", r.id, e.occurred_at
    FROM json_to_recordset(new_rows) AS ${ROW_TYPE}
    JOIN events e ON e.event_id = r.id AND e.occurred_at = to_timestamp(r.at / 1000.0)
    WHERE (e.bus_partition, e.bus_offset) IS DISTINCT FROM (r.part, r."offset")
    ON CONFLICT DO NOTHING;
    ${AWAIT_STANDBY}
  END IF;
  IF known_rows IS NOT NULL THEN
    INSERT INTO bus_references (topic, bus_partition, bus_offset, event_id, occurred_at)
    SELECT topic, part, "offset", id, to_timestamp(at / 1000.0)
    FROM json_to_recordset(known_rows) AS row(topic text, part integer, "offset" bigint, id uuid, at bigint)
    ON CONFLICT DO NOTHING;
    ${AWAIT_STANDBY}
  END IF;
  RETURN stored;
END
$$`;

const TRIGGERS = [
  'CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON journal FOR EACH ROW EXECUTE FUNCTION refuse_change()',
  'CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON journal EXECUTE FUNCTION refuse_change()',
];

const PRIVILEGES = [
  'GRANT SELECT ON log TO moon_app',
  'GRANT SELECT, INSERT, UPDATE ON shards TO moon_app',
  'GRANT SELECT, INSERT ON journal, bus_references TO moon_app',
  'GRANT SELECT, INSERT, UPDATE, DELETE ON shard_checkpoints TO moon_app',
  // Positions are given by the sequence here; a writer that counts by itself has the wrong database.
  'REVOKE INSERT ON log_batches FROM moon_app',
];

/** The log of a deployment of many processes: shards with their journals, and the archive of what the broker carries. */
export class ClusterLog1700000000201 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const functions = [APPEND_JOURNAL, SAVE_CHECKPOINT, ARCHIVE];
    const statements = ['DROP VIEW log', ...COLUMNS, LOG_VIEW, ...TABLES, ...functions, ...TRIGGERS, ...PRIVILEGES];
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ['archive_messages', 'save_shard_checkpoint', 'append_journal']) {
      await runner.query(`DROP FUNCTION ${name}`);
    }
    await runner.query('DROP TABLE bus_references, shard_checkpoints, journal, shards');
    for (const column of ['renewed_at', 'owner', 'epoch']) {
      await runner.query(`ALTER TABLE relay_cursors DROP COLUMN ${column}`);
    }
    await runner.query('DROP VIEW log');
    await runner.query('DROP INDEX stream_events_position');
    await runner.query('DROP INDEX events_position');
    await runner.query('DROP INDEX events_bus');
    for (const column of ['bus_offset', 'bus_partition', 'shard']) {
      await runner.query(`ALTER TABLE events DROP COLUMN ${column}`);
    }
    await runner.query('ALTER TABLE stream_events DROP COLUMN shard');
    await runner.query('CREATE VIEW log AS SELECT * FROM events UNION ALL SELECT * FROM stream_events');
    await runner.query('GRANT SELECT ON log TO moon_app');
    await runner.query('GRANT INSERT ON log_batches TO moon_app');
  }
}
