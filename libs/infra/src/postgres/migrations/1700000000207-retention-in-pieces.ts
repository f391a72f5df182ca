import type { MigrationInterface, QueryRunner } from 'typeorm';
import { DROP_EVENTS, MERKLE_ROOT } from './1700000000202-retention';

const TABLES = [
  // Of the part that goes next: how far its digest is.
  `CREATE TABLE drop_digest (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    events bigint NOT NULL DEFAULT 0,
    first_position bigint,
    last_position bigint,
    -- The last leaf so far.
    leaf_at timestamptz NOT NULL,
    leaf_position bigint NOT NULL DEFAULT -1,
    is_whole boolean NOT NULL DEFAULT false
  )`,
  // Hashes of 1024 leaves each.
  'CREATE TABLE drop_digest_nodes (place bigint PRIMARY KEY, hash bytea NOT NULL)',
  'CREATE INDEX bus_references_time ON bus_references (occurred_at)',
];

const FORGET = `
CREATE FUNCTION forget_drop_digest() RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  DELETE FROM drop_digest_nodes;
  DELETE FROM drop_digest;
END
$$`;

/**
 * Digests the next leaves of the oldest part of events that the policy lets go, 1024 times as many as asked for: a tree of three
 * levels below its root, 1024 children each; leaves are hashes of the events' texts, in the order of (occurred_at, position). Null:
 * nothing has expired; true: it is whole. Writes last, and little: who writes holds back the relay.
 */
const DIGEST = `
CREATE FUNCTION digest_expired_events(most integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC'
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
  expired record;
  known drop_digest;
  piece record;
  bound bigint := 1024 * greatest(1, least(coalesce(most, 64), 1024));
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('drop_expired_events'));
  SELECT * INTO expired FROM expired_parts(now() - (SELECT keep FROM retention_policy)) LIMIT 1;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  SELECT * INTO known FROM drop_digest WHERE from_at = expired.from_time AND to_at = expired.to_time;
  IF NOT FOUND THEN
    PERFORM forget_drop_digest();
    INSERT INTO drop_digest (from_at, to_at, leaf_at) VALUES (expired.from_time, expired.to_time, expired.from_time);
    RETURN false;
  END IF;
  IF known.is_whole THEN
    RETURN true;
  END IF;
  WITH
    leaves AS (
      SELECT occurred_at, position, row_number() OVER (ORDER BY occurred_at, position) - 1 AS place,
        sha256(convert_to(concat_ws(E'\\x1f', event_id, round(date_part('epoch', occurred_at) * 1000)::bigint, type,
          schema_version, source, key, coalesce(correlation_id, event_id), coalesce(causation_id::text, '-'),
          data::text, coalesce(headers::text, '-')), 'UTF8')) AS hash
      FROM (SELECT * FROM events
        WHERE occurred_at >= known.leaf_at AND occurred_at < expired.to_time
          AND (occurred_at, position) > (known.leaf_at, known.leaf_position)
        ORDER BY occurred_at, position LIMIT bound) AS next),
    nodes AS (
      SELECT place / 1024 AS place, count(*) AS events, min(position) AS first, max(position) AS last,
        max(occurred_at) AS leaf_at, (array_agg(position ORDER BY place DESC))[1] AS leaf_position,
        sha256(string_agg(hash, ''::bytea ORDER BY place)) AS hash
      FROM leaves GROUP BY 1)
  SELECT coalesce(sum(events), 0)::bigint AS events, min(first) AS first, max(last) AS last, max(leaf_at) AS leaf_at,
    (array_agg(leaf_position ORDER BY place DESC))[1] AS leaf_position, array_agg(hash ORDER BY place) AS hashes
  INTO piece FROM nodes;
  INSERT INTO drop_digest_nodes (place, hash)
  SELECT known.events / 1024 + place - 1, hash FROM unnest(piece.hashes) WITH ORDINALITY AS node(hash, place);
  UPDATE drop_digest SET events = events + piece.events, first_position = least(first_position, piece.first),
    last_position = greatest(last_position, piece.last), leaf_at = coalesce(piece.leaf_at, leaf_at),
    leaf_position = coalesce(piece.leaf_position, leaf_position), is_whole = piece.events < bound;
  RETURN piece.events < bound;
END
$$`;

/**
 * Drops the part that was digested and writes down what it was, in one transaction. Nothing is dropped when late events came into
 * it meanwhile: it is digested anew. Raises 55P03 after half a second for which somebody else is at work on it: to drop a partition
 * takes a lock on all of events, behind which everybody else waits. With the owner's rights: the application can ask for it and
 * choose nothing. Streams are never dropped.
 */
const DROP = `
CREATE OR REPLACE FUNCTION drop_expired_events() RETURNS SETOF log_drops
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '500ms'
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
  expired record;
  known drop_digest;
  present bigint;
  root bytea;
BEGIN
  -- Two that drop at once would write one drop down twice.
  PERFORM pg_advisory_xact_lock(hashtext('drop_expired_events'));
  SELECT * INTO expired FROM expired_parts(now() - (SELECT keep FROM retention_policy)) LIMIT 1;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT * INTO known FROM drop_digest WHERE from_at = expired.from_time AND to_at = expired.to_time AND is_whole;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  -- Late events would be dropped without having been counted. Nothing changes or goes, so as many are the same ones.
  EXECUTE format('LOCK TABLE %s IN SHARE MODE', expired.part);
  SELECT count(*) INTO present FROM events WHERE occurred_at >= expired.from_time AND occurred_at < expired.to_time;
  IF present <> known.events THEN
    PERFORM forget_drop_digest();
    RETURN;
  END IF;
  SELECT sha256(coalesce(string_agg(hash, ''::bytea ORDER BY place), ''::bytea)) INTO root FROM (
    SELECT place / 1024 AS place, sha256(string_agg(hash, ''::bytea ORDER BY place)) AS hash
    FROM drop_digest_nodes GROUP BY 1) AS second_level;
  IF expired.is_chunk THEN
    EXECUTE 'SELECT drop_chunks(''events'', older_than => $1::timestamptz, newer_than => $2::timestamptz)'
      USING expired.to_time, expired.from_time;
  ELSE
    EXECUTE format('DROP TABLE %I', expired.part);
  END IF;
  PERFORM forget_drop_digest();
  RETURN QUERY INSERT INTO log_drops (from_at, to_at, events, first_position, last_position, merkle_root)
    VALUES (expired.from_time, expired.to_time, known.events, known.first_position, known.last_position, root)
    RETURNING *;
END
$$`;

/**
 * Deletes references of the time of what was dropped, some at a time, the oldest first: where they stood on the broker serves nobody
 * any more. Whoever goes on says how far the last call came: what was deleted stays in the index until it is vacuumed.
 */
const DROP_REFERENCES = `
CREATE FUNCTION drop_expired_references(from_time timestamptz, most bigint, OUT references_gone bigint, OUT until timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
  cutoff timestamptz := now() - (SELECT keep FROM retention_policy);
  dropped timestamptz := (SELECT max(to_at) FROM log_drops);
  bound bigint := greatest(1, least(coalesce(most, 1000), 10000));
BEGIN
  WITH gone AS (
    DELETE FROM bus_references WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM bus_references WHERE occurred_at >= from_time AND occurred_at < dropped AND occurred_at < cutoff
      ORDER BY occurred_at LIMIT bound)) RETURNING occurred_at)
  SELECT count(*), max(occurred_at) INTO references_gone, until FROM gone;
END
$$`;

const PRIVILEGES = ['digest_expired_events(integer)', 'drop_expired_references(timestamptz, bigint)'].flatMap(
  (name) => [`REVOKE ALL ON FUNCTION ${name} FROM PUBLIC`, `GRANT EXECUTE ON FUNCTION ${name} TO moon_app`],
);

/** What expires is digested in pieces, dropped in a short transaction, and its references go afterwards, in pieces (ADR 0051). */
export class RetentionInPieces1700000000207 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query("SET LOCAL lock_timeout = '10s'");
    for (const statement of [...TABLES, FORGET, DIGEST, DROP, DROP_REFERENCES, ...PRIVILEGES])
      await runner.query(statement);
    await runner.query('REVOKE ALL ON FUNCTION forget_drop_digest() FROM PUBLIC');
    await runner.query('DROP FUNCTION events_merkle_root');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("SET LOCAL lock_timeout = '10s'");
    await runner.query(MERKLE_ROOT);
    await runner.query(DROP_EVENTS.replace('CREATE FUNCTION', 'CREATE OR REPLACE FUNCTION'));
    for (const name of ['drop_expired_references', 'digest_expired_events', 'forget_drop_digest'])
      await runner.query(`DROP FUNCTION ${name}`);
    await runner.query('DROP INDEX bus_references_time');
    await runner.query('DROP TABLE drop_digest_nodes, drop_digest');
  }
}
