import { Type, type TLiteral, type TProperties, type TSchema, type TUnion } from '@sinclair/typebox';

// The few shapes that the report's schema is made of.

/** An object that may hold nothing beyond its properties. */
export const closed = <P extends TProperties>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });

const options = (description?: string) => (description === undefined ? {} : { description });

export const describe = <S extends TSchema>(schema: S, description: string): S => ({ ...schema, description });
export const list = <S extends TSchema>(items: S) => Type.Array(items);
export const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);
export const text = (description?: string) => Type.String(options(description));
export const time = (description?: string) => Type.Number(options(description));
export const share = (description?: string) => Type.Number(options(description));
export const hash = (description: string) => Type.String({ description, pattern: '^[0-9a-f]{64}$' });
export const counts = () => Type.Record(Type.String(), Type.Integer({ minimum: 0 }));

/** An exact amount of the ledger. */
export const decimal = (description?: string) =>
  Type.String({ ...options(description), pattern: '^-?\\d+(\\.\\d+)?$' });

export const literals = <const L extends readonly string[]>(values: L) =>
  Type.Union(values.map((value) => Type.Literal(value))) as unknown as TUnion<
    { [K in keyof L]: TLiteral<L[K] & string> } & TLiteral[]
  >;
