import { Type } from '@sinclair/typebox';
import type { Static, TSchema, TUnsafe } from '@sinclair/typebox';
import type { JsonObject, JsonValue } from './json';

/**
 * The building blocks of every event schema. The formats named here are implemented in `validation/formats.ts`.
 * An optional field is wrapped with `Optional`; a description is put on a field with `about`.
 */

/** Earliest and latest instant that an event may carry, in epoch milliseconds: [2010-01-01, 2100-01-01) UTC. */
export const FIRST_MS = 1_262_304_000_000;
export const END_MS = 4_102_444_800_000;

export const MAX_LINE = 200;
export const MAX_TEXT = 4_000;

export const Optional = Type.Optional;
export const Bool = Type.Boolean();

/** Any finite number of at most 15 significant digits. */
export const Num = Type.Number({ format: 'num15' });
/** A number of at least zero. */
export const NumNonNeg = Type.Number({ format: 'num15', minimum: 0 });
/** A number above zero: prices, sizes, intervals. */
export const NumPos = Type.Number({ format: 'num15', exclusiveMinimum: 0 });
export const Px = NumPos;
export const Qty = NumPos;
/** A share between 0 and 1. */
export const Share = Type.Number({ format: 'num15', minimum: 0, maximum: 1 });
export const Percent = Type.Number({ format: 'num15', minimum: 0, maximum: 100 });
export const IntNonNeg = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const IntPos = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** Epoch milliseconds, UTC. Seconds and microseconds fall outside the range and are named as such in the refusal. */
export const Ms = Type.Number({ format: 'epoch-ms' });

/** A decimal amount as text, exact: /^-?\d{1,24}(\.\d{1,18})?$/. */
export const Dec = Type.String({ format: 'decimal' });
/** A decimal above zero: quantities and prices of orders and fills. */
export const DecPos = Type.String({ format: 'decimal-positive' });
/** A decimal of at least zero. */
export const DecNonNeg = Type.String({ format: 'decimal-not-negative' });

export const Uuid = Type.String({ format: 'uuid' });
/** One printable line of 1 to 200 characters. */
export const Str = Type.String({ format: 'line', minLength: 1, maxLength: MAX_LINE });
/** Free text of up to 4,000 characters. */
export const Text = Type.String({ format: 'text', maxLength: MAX_TEXT });
export const TextUpTo = (maxLength: number) => Type.String({ format: 'text', maxLength });

/** One of the given words. */
export const OneOf = <const W extends readonly string[]>(...words: W): TUnsafe<W[number]> =>
  Type.Unsafe<W[number]>({ type: 'string', enum: words });

/** Present only as `true`. */
export const True = Type.Unsafe<true>({ type: 'boolean', enum: [true] });

export const Nullable = <S extends TSchema>(schema: S): TUnsafe<Static<S> | null> =>
  Type.Unsafe<Static<S> | null>({ ...schema, nullable: true });

export const ListOf = <S extends TSchema>(items: S, maxItems = 1_000) => Type.Array(items, { maxItems });

export const Shape = <P extends Record<string, TSchema>>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });

/** A map of free keys to numbers and texts; prototype keys are refused. */
export const FlatMap = Type.Unsafe<Record<string, number | string>>({ type: 'object', freeForm: 'flat' });
/** Any JSON object; prototype keys, over-long texts and numbers beyond 15 digits are refused at every depth. */
export const FreeMap = Type.Unsafe<JsonObject>({ type: 'object', freeForm: 'deep' });

/** A map of free keys to values of one shape; prototype keys are refused. */
export const MapOf = <S extends TSchema>(values: S): TUnsafe<Record<string, Static<S>>> =>
  Type.Unsafe<Record<string, Static<S>>>({ type: 'object', freeForm: 'keys', additionalProperties: values });

/** The delta of a state: which fields changed, and `new_<field>` with the new value of each. */
export const Delta = Type.Unsafe<{ changed_fields: string[]; [newField: `new_${string}`]: JsonValue }>({
  type: 'object',
  freeForm: 'deep',
  required: ['changed_fields'],
  properties: { changed_fields: ListOf(Str) },
  patternProperties: { '^new_[A-Za-z][A-Za-z0-9_]*$': {} },
  additionalProperties: false,
});

/** Puts a description on a field; it appears in the event reference and the published schema. */
export const about = <S extends TSchema>(schema: S, description: string): S => ({ ...schema, description });

export const Side = OneOf('buy', 'sell');
export const PositionSide = OneOf('long', 'short');
export const Action = OneOf('BUY', 'SELL', 'HOLD');
/** STOP and TAKE_PROFIT wait for their stopPrice; then they are market orders or, with a limitPrice, limit orders. */
export const OrderType = OneOf('MARKET', 'LIMIT', 'STOP', 'TAKE_PROFIT');
/** ALO (add liquidity only, post-only): rejected when it would be filled at once. */
export const TimeInForce = OneOf('GTC', 'IOC', 'ALO');
export const Liquidity = OneOf('maker', 'taker');
export const HaltScope = OneOf('portfolio', 'global');
export const ViolationType = OneOf(
  'price_move',
  'leverage',
  'liquidation_risk',
  'drawdown',
  'daily_loss',
  'exposure',
  'state_mismatch',
);

/** Fields that nearly every event has. */
export const Token = about(Str, 'The asset that routes and groups the event, e.g. BTC.');
export const InstrumentId = about(Str, 'Instrument id, e.g. BTCUSDT.BINANCE-USDM.');
export const Portfolio = about(Str, 'Portfolio id.');
export const Timestamp = about(Ms, 'When it happened, epoch milliseconds UTC.');
