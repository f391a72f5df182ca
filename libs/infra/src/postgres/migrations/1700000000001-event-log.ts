import type { MigrationInterface, QueryRunner } from 'typeorm';

/** One shape for both tables of the log; wide columns first, which spares padding. */
const COLUMNS = `
  event_id uuid NOT NULL,
  -- Milliseconds: a JavaScript date keeps no more, and (event_id, occurred_at) is a key that must survive a round trip.
  occurred_at timestamptz(3) NOT NULL,
  seq bigint NOT NULL,
  position bigint NOT NULL DEFAULT nextval('log_position'),
  tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
  -- NULL when it is the event's own id.
  correlation_id uuid,
  causation_id uuid,
  version bigint,
  schema_version integer NOT NULL,
  type text NOT NULL,
  source text NOT NULL,
  key text NOT NULL,
  token text,
  stream_id text,
  -- json, not jsonb: what is read is letter for letter what was emitted; jsonb would re-order its keys.
  data json NOT NULL,
  headers json`;

/**
 * Hypertables where TimescaleDB is there and preloaded, native monthly partitions elsewhere. Without the look at
 * shared_preload_libraries, CREATE EXTENSION would end the session; without the licence, compression would fail.
 */
const TABLES = `
DO $do$
DECLARE
  has_timescale boolean :=
    EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
    OR (EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
        AND current_setting('shared_preload_libraries') LIKE '%timescaledb%');
  name text;
BEGIN
  IF has_timescale THEN
    EXECUTE 'CREATE EXTENSION IF NOT EXISTS timescaledb';
  END IF;
  FOREACH name IN ARRAY ARRAY['events', 'stream_events'] LOOP
    EXECUTE format('CREATE TABLE %I (%s) %s', name, $columns$${COLUMNS}$columns$,
      CASE WHEN has_timescale THEN '' ELSE 'PARTITION BY RANGE (occurred_at)' END);
    CONTINUE WHEN NOT has_timescale;
    EXECUTE format($sql$SELECT create_hypertable(%L, by_range('occurred_at', INTERVAL '7 days'),
      create_default_indexes => false)$sql$, name);
  END LOOP;
END
$do$`;

/** Behind the indexes: compressed chunks get bloom filters for the columns that have an index when they are compressed. */
const COMPRESSION = `
DO $do$
DECLARE
  name text;
BEGIN
  IF current_setting('timescaledb.license', true) IS DISTINCT FROM 'timescale' THEN
    RETURN;
  END IF;
  FOREACH name IN ARRAY ARRAY['events', 'stream_events'] LOOP
    EXECUTE format($sql$ALTER TABLE %I SET (timescaledb.compress,
      timescaledb.compress_segmentby = 'type,token',
      timescaledb.compress_orderby = 'occurred_at, position')$sql$, name);
    EXECUTE format($sql$SELECT add_compression_policy(%L, INTERVAL '14 days')$sql$, name);
  END LOOP;
END
$do$`;

const INDEXES = ['events', 'stream_events'].flatMap((table) => [
  `CREATE UNIQUE INDEX ${table}_id ON ${table} (event_id, occurred_at)`,
  `CREATE INDEX ${table}_time ON ${table} (occurred_at, seq)`,
  `CREATE INDEX ${table}_type ON ${table} (type, token, occurred_at, seq)`,
  `CREATE INDEX ${table}_correlation ON ${table} (correlation_id) WHERE correlation_id IS NOT NULL`,
  `CREATE INDEX ${table}_causation ON ${table} (causation_id) WHERE causation_id IS NOT NULL`,
]);

const UP = [
  'CREATE SEQUENCE log_position',
  TABLES,
  ...INDEXES,
  'CREATE INDEX stream_events_stream ON stream_events (stream_id, version)',
  'CREATE INDEX stream_events_relay ON stream_events (tx, position)',
  'ALTER TABLE events ADD CONSTRAINT bus_has_no_stream CHECK (stream_id IS NULL AND version IS NULL)',
  'ALTER TABLE stream_events ADD CONSTRAINT stream_has_version CHECK (stream_id IS NOT NULL AND version >= 1)',
  // The optimistic lock: a unique index on the partitioned table would have to contain its time column.
  'CREATE TABLE streams (stream_id text PRIMARY KEY, version bigint NOT NULL CHECK (version >= 1))',
  // One row for each appended batch: no two batches claim one position, and a range of positions tells its times.
  `CREATE TABLE log_batches (
    first_seq bigint PRIMARY KEY,
    last_seq bigint NOT NULL CHECK (last_seq >= first_seq),
    from_at timestamptz(3) NOT NULL,
    to_at timestamptz(3) NOT NULL
  )`,
  'CREATE VIEW log AS SELECT * FROM events UNION ALL SELECT * FROM stream_events',
  COMPRESSION,
];

/** The log of a run: two tables of one shape, the streams' versions, the batches, and the view over all. */
export class EventLog1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP VIEW log');
    await runner.query('DROP TABLE log_batches, streams');
    // One at a time: a hypertable cannot be dropped along with others.
    await runner.query('DROP TABLE stream_events');
    await runner.query('DROP TABLE events');
    await runner.query('DROP SEQUENCE log_position');
  }
}
