import type { AnyEvent } from '@moon/events';
import type { Login } from '../access';
import { Months } from '../months';
import { TextPool } from '../pool';
import type { PoolOptions } from '../pool';
import { toStoredRow } from '../rows';
import { codeOf } from '../stream-versions';

/** Who appends: beside the shards, the operators. Their audit stream is `audit@operators`. */
const OPERATORS = 'operators';
const STREAM = `audit@${OPERATORS}`;
const UNIQUE_VIOLATION = '23505';

/** The time of whoever decides the order of commands, epoch ms. */
const NOW = "SELECT date_part('epoch', clock_timestamp()) * 1000";

/** A repeat changes nothing, but waits for the standby as the first attempt should have. */
const APPEND = `WITH known AS (
    SELECT version FROM stream_events WHERE event_id = $1::uuid AND stream_id = '${STREAM}'),
  repeated AS (SELECT version, pg_logical_emit_message(true, 'moon', 'repeat') FROM known),
  moved AS (
    INSERT INTO streams (stream_id, version) SELECT '${STREAM}', 1 WHERE NOT EXISTS (SELECT FROM known)
    ON CONFLICT (stream_id) DO UPDATE SET version = streams.version + 1 RETURNING version),
  placed AS (SELECT version, nextval('log_position') AS place FROM moved),
  stored AS (
    INSERT INTO stream_events (event_id, occurred_at, seq, position, version, schema_version, type, source, key, stream_id,
      data, headers, shard)
    SELECT $1::uuid, to_timestamp($2::bigint / 1000.0), place, place, version, $3::integer, $4, $5, $6, '${STREAM}',
      $7::json, $8::json, '${OPERATORS}' FROM placed
    RETURNING version)
  SELECT version, true, pg_notify('stream_events', '') FROM stored
  UNION ALL SELECT version, false, NULL FROM repeated`;

/** What operators ask of a deployment: a stream of its own in the cluster's log, which the relay publishes to all shards. */
export class OperatorStream {
  private readonly pool: TextPool;
  private readonly months: Months;

  /** @param login the application's role */
  constructor(login: Login, database: string, options: PoolOptions = {}) {
    this.pool = new TextPool(login, database, { connections: 1, ...options });
    this.months = new Months(this.pool);
  }

  /** The event store's time, epoch ms: what a command is accepted at (rule 2). */
  async now(): Promise<number> {
    const [row] = await this.pool.rows('operators_now', NOW, []);
    return Math.round(Number(row![0]));
  }

  /**
   * Appends a command. Idempotent by its id.
   * @returns false when it was there already
   */
  async append(event: Extract<AnyEvent, { type: 'operator.command' }>): Promise<boolean> {
    await this.months.ensure([{ event }]);
    const { id, at, schema, type, source, key, data, headers } = toStoredRow({ seq: 0, event });
    const stored = [JSON.stringify(data), headers === undefined ? null : JSON.stringify(headers)];
    try {
      const [row] = await this.pool.rows('append_command', APPEND, [id, at, schema, type, source, key, ...stored]);
      return row?.[1] === 't';
    } catch (error) {
      // Two attempts of one command at a time: the other one has stored it.
      if (codeOf(error) === UNIQUE_VIOLATION) return false;
      throw error;
    }
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}
