/** Plain JSON as it stands in an event: no `undefined`, no dates, no class instances. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}
