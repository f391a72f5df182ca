import type { ValidateFunction } from 'ajv';
import type { EventDefinition } from '../define';
import type { AnyEvent, EventData, EventType } from '../envelope';
import { isEventType } from '../catalog';
import { MAX_LINE } from '../fields';
import { EventRefused } from '../refused';
import type { Refusal, RefusalRule } from '../refused';
import { DEFINITIONS } from '../types';
import { upcast } from '../upcast';
import type { RawEnvelope } from '../upcast';
import { refusalFrom, timeRefusal, validatorOf } from './compile';
import { isEpochMs, isLine, isUuid } from './formats';
import { freeFormProblem, isPlainObject, isPrototypeKey, keyProblem } from './free-form';
import { numberBeyond15Digits } from './json-digits';

/** An event is far smaller; what is longer is not even parsed. In UTF-16 units. */
const MAX_EVENT_TEXT = 256 * 1024;

const ENVELOPE_FIELDS: ReadonlySet<string> = new Set([
  'id',
  'type',
  'schemaVersion',
  'source',
  'key',
  'occurredAt',
  'correlationId',
  'causationId',
  'data',
  'headers',
]);

const MODES: ReadonlySet<unknown> = new Set([undefined, 'live', 'synthetic', 'recorded']);

const typeNameOf = (candidate: unknown): string => {
  const type: unknown = (candidate as { type?: unknown } | null | undefined)?.type;
  return typeof type === 'string' ? type : '(no type)';
};

function refuse(candidate: unknown, field: string, value: unknown, rule: RefusalRule, expected: string): never {
  throw new EventRefused(typeNameOf(candidate), { field, value, rule, expected });
}

function checkUuid(candidate: object, field: string, value: unknown): void {
  if (typeof value === 'string' && isUuid(value)) return;
  if (value === undefined) refuse(candidate, field, value, 'missing_field', 'the field is required');
  refuse(candidate, field, value, 'uuid', 'a UUID in lower case is expected');
}

function checkLine(candidate: object, field: string, value: unknown): void {
  if (typeof value === 'string' && value.length > 0 && value.length <= MAX_LINE && isLine(value)) return;
  if (value === undefined) refuse(candidate, field, value, 'missing_field', 'the field is required');
  if (typeof value !== 'string') refuse(candidate, field, value, 'wrong_type', 'the type string is expected');
  if (value.length === 0) refuse(candidate, field, value, 'too_short', 'the text may not be empty');
  if (value.length > MAX_LINE) {
    refuse(candidate, field, value, 'too_long', `at most ${MAX_LINE} characters are allowed, here are ${value.length}`);
  }
  refuse(candidate, field, value, 'control_character', 'one printable line is expected');
}

function checkTime(candidate: object, field: string, value: unknown): void {
  if (typeof value === 'number' && isEpochMs(value)) return;
  if (value === undefined) refuse(candidate, field, value, 'missing_field', 'the field is required');
  if (typeof value !== 'number') refuse(candidate, field, value, 'wrong_type', 'the type number is expected');
  if (!Number.isFinite(value)) refuse(candidate, field, value, 'not_finite', 'a finite number is expected');
  const { rule, expected } = timeRefusal(value);
  refuse(candidate, field, value, rule, expected);
}

function checkHeaders(candidate: object, headers: unknown): void {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers) || !isPlainObject(headers)) {
    refuse(candidate, 'headers', headers, 'wrong_type', 'a plain object is expected');
  }
  for (const [name, value] of Object.entries(headers)) {
    const field = `headers.${name.slice(0, MAX_LINE)}`;
    const problem = keyProblem('', name);
    if (problem) refuse(candidate, field, problem.value, problem.rule, problem.expected);
    if (value === undefined || typeof value === 'boolean') continue;
    const wrong =
      value === null ? { rule: 'wrong_type' as const, expected: 'no null' } : freeFormProblem('scalar', value);
    if (wrong) refuse(candidate, field, value, wrong.rule, wrong.expected);
  }
  const { mode, warmup } = headers as { mode?: unknown; warmup?: unknown };
  if (!MODES.has(mode))
    refuse(candidate, 'headers.mode', mode, 'not_a_choice', 'live, synthetic or recorded is expected');
  if (warmup !== undefined && warmup !== true) {
    refuse(candidate, 'headers.warmup', warmup, 'not_a_choice', 'true is expected, or no such header');
  }
}

function checkEnvelope(candidate: Record<string, unknown>): void {
  for (const name in candidate) {
    if (ENVELOPE_FIELDS.has(name)) continue;
    if (isPrototypeKey(name))
      refuse(candidate, name, name, 'prototype_key', 'keys that reach a prototype are not allowed');
    refuse(candidate, name.slice(0, MAX_LINE), candidate[name], 'unknown_field', 'the envelope has no such field');
  }
  checkUuid(candidate, 'id', candidate.id);
  checkLine(candidate, 'source', candidate.source);
  checkLine(candidate, 'key', candidate.key);
  checkTime(candidate, 'occurredAt', candidate.occurredAt);
  if (candidate.correlationId !== candidate.id) checkUuid(candidate, 'correlationId', candidate.correlationId);
  if (candidate.causationId !== null) checkUuid(candidate, 'causationId', candidate.causationId);
  if (candidate.headers !== undefined) checkHeaders(candidate, candidate.headers);
}

function asRecord(candidate: unknown): Record<string, unknown> {
  if (typeof candidate !== 'object' || candidate === null || Array.isArray(candidate) || !isPlainObject(candidate)) {
    refuse(candidate, '', candidate, 'envelope', 'an envelope object is expected');
  }
  return candidate as Record<string, unknown>;
}

function checkType(candidate: Record<string, unknown>): EventType {
  const { type } = candidate;
  if (isEventType(type)) return type;
  if (type === undefined) refuse(candidate, 'type', type, 'missing_field', 'the field is required');
  return refuse(candidate, 'type', type, 'unknown_type', 'the catalog has no such type');
}

/** The validators of the current versions, by type: found at every event. */
const current = new Map<EventType, ValidateFunction>();

function currentValidator(type: EventType): ValidateFunction {
  const validate = validatorOf(DEFINITIONS[type] as EventDefinition);
  current.set(type, validate);
  return validate;
}

function checkData(type: EventType, data: unknown): void {
  const validate = current.get(type) ?? currentValidator(type);
  if (validate(data)) {
    if (isPlainObject(data as object)) return;
    throw new EventRefused(type, {
      field: 'data',
      value: data,
      rule: 'wrong_type',
      expected: 'a plain object is expected',
    });
  }
  throw new EventRefused(type, refusalFrom(validate.errors![0]!));
}

/**
 * Checks an event at a boundary: envelope and data, in the current version of its type.
 * @returns the same object, typed.
 * @throws EventRefused that names type, field, value (cut) and rule; nothing else, whatever is passed.
 */
export function validateEvent(candidate: unknown): AnyEvent {
  const envelope = asRecord(candidate);
  const type = checkType(envelope);
  if (envelope.schemaVersion !== DEFINITIONS[type].version) {
    const { version } = DEFINITIONS[type];
    refuse(envelope, 'schemaVersion', envelope.schemaVersion, 'unknown_version', `version ${version} is expected`);
  }
  checkEnvelope(envelope);
  checkData(type, envelope.data);
  return envelope as unknown as AnyEvent;
}

/**
 * Checks what a handler put into an event: key and data. The rest of the envelope is made by the machine, from a cause
 * that was checked when it came in.
 */
export function validateEmitted(event: AnyEvent): void {
  checkLine(event, 'key', event.key);
  checkData(event.type, event.data);
}

/** Checks the data of an event alone, `event_type` included. */
export function validateData<T extends EventType>(type: T, data: unknown): EventData<T> {
  checkData(type, data);
  return data as EventData<T>;
}

/** JSON text to a value, with the checks that are only possible on the text: length, syntax, digits. */
export function parseJson(type: string, text: string): unknown {
  const refuseText = (refusal: Omit<Refusal, 'field'>): never => {
    throw new EventRefused(type, { field: '', ...refusal });
  };
  if (text.length > MAX_EVENT_TEXT) {
    const expected = `an event has at most ${MAX_EVENT_TEXT} characters, here are ${text.length}`;
    refuseText({ value: text, rule: 'too_long', expected });
  }
  const long = numberBeyond15Digits(text);
  if (long !== null) {
    refuseText({ value: long, rule: 'digits', expected: 'at most 15 significant digits are allowed' });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    return refuseText({ value: text, rule: 'json', expected: `JSON is expected (${(error as Error).message})` });
  }
}

/** Reads the data of an event from its JSON text (the value of a message), in the current version of the type. */
export const parseData = <T extends EventType>(type: T, text: string): EventData<T> =>
  validateData(type, parseJson(type, text));

/**
 * Reads an event from the JSON text of its envelope: parses, upcasts an older version, validates.
 * @throws EventRefused for everything that is no valid event.
 */
export function parseEvent(text: string): AnyEvent {
  const envelope = asRecord(parseJson('(JSON text)', text));
  const type = checkType(envelope);
  if (envelope.schemaVersion === DEFINITIONS[type].version) return validateEvent(envelope);
  checkEnvelope(envelope);
  return validateEvent(upcast(envelope as unknown as RawEnvelope));
}
