import { Type } from '@sinclair/typebox';
import type { Static, TLiteral, TObject, TSchema } from '@sinclair/typebox';
import type { JsonObject } from './json';
import type { TopicName } from './topics';

export type EventCategory = 'market' | 'processing' | 'action' | 'portfolio' | 'state' | 'system';

/** Where the key of an event comes from: a field of its data, the scope of a halt, or the constant `system`. */
export type KeyRule = 'token' | 'portfolio' | 'handlerKey' | 'scope' | 'system';

/** Families of streams for store-first events; an event type without one is bus-first. */
export type StreamRule = 'order' | 'portfolio' | 'consensus' | 'force-close' | 'halts' | 'config' | 'audit';

type Fields = Record<string, TSchema>;
type DataSchema<T extends string, F extends Fields> = TObject<{ event_type: TLiteral<T> } & F>;

/** What an upcaster may read of the envelope around the old data. */
export interface UpcastContext {
  id: string;
  key: string;
  source: string;
  occurredAt: number;
}

interface DefinitionInput<T extends string, F extends Fields> {
  type: T;
  version: number;
  category: EventCategory;
  /** What the event says, in one or two sentences; the first line of its entry in the reference. */
  doc: string;
  topic: TopicName;
  key: KeyRule;
  /** Store-first: the family of the stream that it is appended to. Left out: bus-first. */
  stream?: StreamRule;
  /** Depends on the wall clock; changes no trading state and stands outside hashes and parity (rule 5). */
  operational?: true;
  fields: F;
  example: Static<TObject<F>>;
  /** On a superseded version only: the data of the next version, made from this one's. */
  upcast?: (data: Static<TObject<F>>, context: UpcastContext) => JsonObject;
  /** On a superseded version only: this version's data, made from the next one's, for as long as older code reads. */
  downcast?: (data: JsonObject) => JsonObject;
}

export interface EventDefinition<T extends string = string, S extends TObject = TObject> {
  readonly type: T;
  readonly version: number;
  readonly category: EventCategory;
  readonly doc: string;
  readonly topic: TopicName;
  readonly key: KeyRule;
  readonly stream?: StreamRule;
  readonly operational: boolean;
  readonly schema: S;
  readonly example: Static<S>;
  readonly upcast?: (data: JsonObject, context: UpcastContext) => JsonObject;
  readonly downcast?: (data: JsonObject) => JsonObject;
}

/** The one source of an event type's version: schema, TypeScript type, documentation, example and catalog facts. */
export function defineEvent<const T extends string, F extends Fields>(
  input: DefinitionInput<T, F>,
): EventDefinition<T, DataSchema<T, F>> {
  const { fields, example, operational, upcast, ...facts } = input;
  const schema = Type.Object(
    { event_type: Type.Literal(input.type), ...fields },
    { additionalProperties: false, description: input.doc },
  ) as unknown as DataSchema<T, F>;
  return {
    ...facts,
    operational: operational ?? false,
    schema,
    example: { event_type: input.type, ...(example as object) } as unknown as Static<DataSchema<T, F>>,
    ...(upcast && { upcast: upcast as unknown as (data: JsonObject, context: UpcastContext) => JsonObject }),
  };
}
