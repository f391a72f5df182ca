import type { LogRow } from '@moon/kernel';
import type { Login } from './access';
import { TextPool } from './pool';
import type { PoolOptions } from './pool';
import { fromColumns, ROW_COLUMNS } from './rows';

/** An event that an agent never handled. */
export interface DeadLetter {
  handler: string;
  handlerKey: string;
  eventId: string;
  eventSeq: number;
  reason: string;
  error: string;
  /** Event time at which it was skipped, epoch ms. */
  skippedAt: number;
  /** Position of its event.skipped in the log. */
  skipSeq: number;
}

/** A key of an aggregate, saga or projection that stands still at a poisoned event. */
export interface ParkedKey {
  handler: string;
  handlerKey: string;
  eventId: string;
  eventSeq: number;
  error: string | null;
  /** Event time, epoch ms. */
  parkedAt: number;
}

const DEAD_LETTERS = `SELECT handler, handler_key, event_id, event_seq, reason, error,
    date_part('epoch', skipped_at) * 1000, skip_seq
  FROM dead_letters ORDER BY skip_seq`;

const PARKED_KEYS = `SELECT handler, handler_key, event_id, event_seq, error, date_part('epoch', parked_at) * 1000
  FROM parked_keys ORDER BY handler, handler_key`;

/** Compressed chunks have bloom filters, which know ids and no ranges of them: what does not have it is not decompressed. */
const BY_ID = `SELECT ${ROW_COLUMNS} FROM log WHERE event_id = $1::uuid ORDER BY occurred_at LIMIT $2::bigint`;

/** The range of ids that begin with a prefix is one piece of the index. */
const BY_ID_PREFIX = `SELECT ${ROW_COLUMNS} FROM log WHERE event_id BETWEEN $1::uuid AND $2::uuid
  ORDER BY event_id LIMIT $3::bigint`;

const STREAMS = `SELECT stream_id FROM streams WHERE stream_id LIKE $1 ORDER BY stream_id LIMIT $2::bigint`;

const KNOWN_IDS = `SELECT event_id FROM log WHERE event_id = ANY ($1::uuid[])
  AND occurred_at BETWEEN to_timestamp($2::bigint / 1000.0) AND to_timestamp($3::bigint / 1000.0)`;

const FACTS_AT = `SELECT ${ROW_COLUMNS} FROM events
  WHERE type = ANY ($1::text[]) AND token = ANY ($2::text[])
    AND occurred_at = ANY (SELECT to_timestamp(instant / 1000.0) FROM unnest($3::bigint[]) AS instant)
    AND occurred_at BETWEEN to_timestamp($4::bigint / 1000.0) AND to_timestamp($5::bigint / 1000.0)`;

/** Hexadecimal digits of a UUID. */
const UUID_DIGITS = 32;

/** What a log says of markets. Times are epoch ms. */
export interface MarketFacts {
  instruments: string[];
  fundingInstruments: string[];
  firstAt: number;
  lastAt: number;
}

const LATEST_MS = 4_102_444_800_000;

/** Prices first, in the order in which the instruments begin. */
const MARKET_FACTS = `SELECT type, data->>'instrument', date_part('epoch', min(occurred_at)) * 1000,
    date_part('epoch', max(occurred_at)) * 1000
  FROM events
  WHERE type IN ('bar.closed', 'price.tick', 'funding.update', 'market.liquidation', 'market.sentiment')
    AND causation_id IS NULL
    AND occurred_at >= to_timestamp($1::bigint / 1000.0) AND occurred_at < to_timestamp($2::bigint / 1000.0)
  GROUP BY 1, 2
  ORDER BY type NOT IN ('bar.closed', 'price.tick'), 3, 2`;

/**
 * Questions about a log that only people and tools ask, never the platform at work: by the beginning of an id, about
 * dead letters, about what is stored at certain instants. It reads only.
 */
export class StoreInspection {
  private readonly pool: TextPool;

  /** @param login the application's role */
  constructor(login: Login, database: string, options: PoolOptions = {}) {
    this.pool = new TextPool(login, database, { connections: 1, ...options });
  }

  /** Skipped events that were not delivered again since, the oldest first. */
  async deadLetters(): Promise<DeadLetter[]> {
    const rows = await this.pool.rows('dead_letters', DEAD_LETTERS, []);
    return rows.map(([handler, handlerKey, eventId, eventSeq, reason, error, at, skipSeq]) => ({
      handler: handler!,
      handlerKey: handlerKey!,
      eventId: eventId!,
      eventSeq: Number(eventSeq),
      reason: reason!,
      error: error!,
      skippedAt: Math.round(Number(at)),
      skipSeq: Number(skipSeq),
    }));
  }

  async parkedKeys(): Promise<ParkedKey[]> {
    const rows = await this.pool.rows('parked_keys', PARKED_KEYS, []);
    return rows.map(([handler, handlerKey, eventId, eventSeq, error, at]) => ({
      handler: handler!,
      handlerKey: handlerKey!,
      eventId: eventId!,
      eventSeq: Number(eventSeq),
      error: error ?? null,
      parkedAt: Math.round(Number(at)),
    }));
  }

  /**
   * Events whose id begins with these hexadecimal digits (dashes are ignored), at most `limit`.
   * @throws RangeError when they are no beginning of an id
   */
  async eventsByIdPrefix(prefix: string, limit: number): Promise<LogRow[]> {
    const digits = prefix.replaceAll('-', '').toLowerCase();
    if (!/^[0-9a-f]{1,32}$/.test(digits))
      throw new RangeError(`"${prefix.slice(0, 80)}" is not the beginning of an id.`);
    if (digits.length === UUID_DIGITS) return (await this.pool.rows('by_id', BY_ID, [digits, limit])).map(fromColumns);
    const bounds = [digits.padEnd(UUID_DIGITS, '0'), digits.padEnd(UUID_DIGITS, 'f')];
    const rows = await this.pool.rows('by_id_prefix', BY_ID_PREFIX, [...bounds, limit]);
    return rows.map(fromColumns);
  }

  /** Names of streams that begin so, in alphabetical order, at most `limit`. */
  async streamsByPrefix(prefix: string, limit: number): Promise<string[]> {
    const pattern = `${prefix.replaceAll(/[\\%_]/g, '\\$&')}%`;
    return (await this.pool.rows('streams_by_prefix', STREAMS, [pattern, limit])).map(([name]) => name!);
  }

  /** Those of the ids that the log holds between the two times (epoch ms, inclusive). */
  async knownIds(ids: readonly string[], fromMs: number, toMs: number): Promise<Set<string>> {
    const rows = await this.pool.rows('known_ids', KNOWN_IDS, [ids, fromMs, toMs]);
    return new Set(rows.map(([id]) => id!));
  }

  /** Market facts of these types and tokens at exactly these instants (epoch ms), in no order. */
  async factsAt(types: readonly string[], tokens: readonly string[], instants: readonly number[]): Promise<LogRow[]> {
    if (instants.length === 0) return [];
    const from = instants.reduce((low, at) => Math.min(low, at), Infinity);
    const to = instants.reduce((high, at) => Math.max(high, at), -Infinity);
    const rows = await this.pool.rows('facts_at', FACTS_AT, [types, tokens, instants, from, to]);
    return rows.map(fromColumns);
  }

  /** What a log says of markets, in a range of times (ms; `to` exclusive); null when it says nothing there. */
  async marketFacts(from = 0, to = Number.MAX_SAFE_INTEGER): Promise<MarketFacts | null> {
    const rows = await this.pool.rows('market_facts', MARKET_FACTS, [from, Math.min(to, LATEST_MS)]);
    if (rows.length === 0) return null;
    const known = rows.flatMap(([type, instrument]) => (instrument ? [{ type: type!, instrument }] : []));
    const unique = (types: readonly string[]): string[] => [
      ...new Set(known.filter(({ type }) => types.includes(type)).map(({ instrument }) => instrument)),
    ];
    return {
      instruments: unique(['bar.closed', 'price.tick', 'funding.update', 'market.liquidation']),
      fundingInstruments: unique(['funding.update']),
      firstAt: Math.min(...rows.map(([, , at]) => Math.round(Number(at)))),
      lastAt: Math.max(...rows.map(([, , , at]) => Math.round(Number(at)))),
    };
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}
