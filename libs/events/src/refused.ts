/** Why an event was refused. Stable codes: they are counted and shown (`refusedByReason`). */
export type RefusalRule =
  | 'json'
  | 'envelope'
  | 'unknown_type'
  | 'unknown_version'
  | 'missing_field'
  | 'unknown_field'
  | 'prototype_key'
  | 'wrong_type'
  | 'not_finite'
  | 'digits'
  | 'range'
  | 'negative'
  | 'not_a_choice'
  | 'too_long'
  | 'too_short'
  | 'too_many'
  | 'too_deep'
  | 'control_character'
  | 'uuid'
  | 'decimal'
  | 'seconds'
  | 'microseconds'
  | 'nanoseconds'
  | 'time';

export interface Refusal {
  /** Path of the field, e.g. `data.price`; empty for the whole event. */
  field: string;
  value: unknown;
  rule: RefusalRule;
  /** What is expected there. */
  expected: string;
}

const VALUE_LENGTH = 80;

/** A value as it is shown in an error: JSON where possible, never more than 80 characters. */
export function cutValue(value: unknown): string {
  let text: string;
  if (typeof value === 'string')
    text = JSON.stringify(value.length > VALUE_LENGTH ? value.slice(0, VALUE_LENGTH) : value);
  else if (typeof value === 'object' && value !== null) text = Array.isArray(value) ? `[${value.length} items]` : '{…}';
  else text = String(value);
  return text.length > VALUE_LENGTH ? `${text.slice(0, VALUE_LENGTH - 1)}…` : text;
}

/** An event that may not pass a boundary: names its type, the field, the value (cut) and the rule. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused';
  readonly type: string;
  readonly field: string;
  readonly value: string;
  readonly rule: RefusalRule;

  constructor(type: string, refusal: Refusal) {
    const value = cutValue(refusal.value);
    const where = refusal.field === '' ? '' : ` field "${refusal.field}"`;
    const cutType = type.length > VALUE_LENGTH ? `${type.slice(0, VALUE_LENGTH)}…` : type;
    super(`Event ${cutType} refused:${where} is ${value} (${refusal.rule}): ${refusal.expected}.`);
    this.type = cutType;
    this.field = refusal.field;
    this.value = value;
    this.rule = refusal.rule;
  }
}
