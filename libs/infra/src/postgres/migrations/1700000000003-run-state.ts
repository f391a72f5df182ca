import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // States are json, not jsonb: an object that is restored must list its keys in the order it had.
  `CREATE TABLE checkpoints (
    seq bigint PRIMARY KEY,
    meta json NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE TABLE checkpoint_entries (
    seq bigint NOT NULL REFERENCES checkpoints ON DELETE CASCADE,
    ordinal integer NOT NULL,
    handler text NOT NULL,
    key text NOT NULL,
    -- NULL stands for the state null.
    state json,
    PRIMARY KEY (seq, handler, key)
  )`,
  `CREATE TABLE snapshots (
    stream_id text PRIMARY KEY,
    version bigint NOT NULL,
    state json NOT NULL
  )`,
  // How far a relay has published. The cluster's identity: transaction ids start anew in a restored cluster.
  `CREATE TABLE relay_cursors (
    relay text PRIMARY KEY,
    cluster text NOT NULL,
    tx xid8 NOT NULL,
    position bigint NOT NULL
  )`,
  // Requests of operators from outside; the platform takes them into the log as operator.command.
  `CREATE TABLE operator_commands (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    command text NOT NULL,
    arguments json NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz(3) NOT NULL DEFAULT now(),
    event_id uuid,
    taken_at timestamptz(3)
  )`,
  'CREATE INDEX operator_commands_open ON operator_commands (id) WHERE event_id IS NULL',
  // Skipped events that were not delivered again since.
  `CREATE VIEW dead_letters AS
    SELECT skipped.seq AS skip_seq, skipped.occurred_at AS skipped_at,
      skipped.data->>'handler' AS handler, skipped.data->>'handlerKey' AS handler_key,
      (skipped.data->>'skippedEventId')::uuid AS event_id, (skipped.data->>'skippedSeq')::bigint AS event_seq,
      skipped.data->>'reason' AS reason, skipped.data->>'error' AS error
    FROM stream_events skipped
    WHERE skipped.type = 'event.skipped' AND NOT EXISTS (
      SELECT FROM stream_events replayed
      WHERE replayed.type = 'event.replayed' AND replayed.seq > skipped.seq
        AND replayed.data->>'handler' = skipped.data->>'handler'
        AND replayed.data->>'handlerKey' = skipped.data->>'handlerKey'
        AND replayed.data->>'replayedEventId' = skipped.data->>'skippedEventId')`,
  // Keys whose last word is that they are parked.
  `CREATE VIEW parked_keys AS
    SELECT * FROM (
      SELECT DISTINCT ON (data->>'handler', data->>'handlerKey')
        data->>'handler' AS handler, data->>'handlerKey' AS handler_key, (data->>'eventId')::uuid AS event_id,
        (data->>'seq')::bigint AS event_seq, data->>'error' AS error, occurred_at AS parked_at, type
      FROM stream_events
      WHERE type IN ('key.parked', 'key.unparked')
      ORDER BY data->>'handler', data->>'handlerKey', seq DESC) AS last_word
    WHERE type = 'key.parked'`,
  'GRANT SELECT, INSERT, DELETE ON checkpoints, checkpoint_entries TO moon_app',
  'GRANT SELECT, INSERT, UPDATE ON snapshots, relay_cursors TO moon_app',
  'GRANT SELECT, INSERT ON operator_commands TO moon_app',
  'GRANT UPDATE (event_id, taken_at) ON operator_commands TO moon_app',
  'GRANT SELECT ON dead_letters, parked_keys TO moon_app',
];

/** What a run keeps beside its log: checkpoints, snapshots, the relay's cursor, operators' requests. */
export class RunState1700000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP VIEW parked_keys, dead_letters');
    await runner.query('DROP TABLE operator_commands, relay_cursors, snapshots, checkpoint_entries, checkpoints');
  }
}
