import { allDefinitions } from './fixtures';

/**
 * A second opinion on event data, slow and plain: it interprets the schema by itself and shares no code with the
 * validators. Numbers are judged by their decimal text, times and decimals by their own words.
 */

interface Schema {
  type?: string;
  const?: unknown;
  enum?: readonly unknown[];
  nullable?: boolean;
  format?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: readonly string[];
  patternProperties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  oneOf?: readonly Schema[];
  freeForm?: string;
}

function digitsOf(value: number): number {
  const [mantissa] = Math.abs(value).toString().split('e');
  return mantissa!.replace('.', '').replace(/^0+/, '').replace(/0+$/, '').length;
}

function goodNumber(schema: Schema, value: number): boolean {
  if (Number.isNaN(value) || value === Infinity || value === -Infinity) return false;
  if (schema.type === 'integer' && value % 1 !== 0) return false;
  if (schema.format === 'num15' && digitsOf(value) > 15) return false;
  if (schema.format === 'epoch-ms') {
    if (value % 1 !== 0) return false;
    const year = new Date(value).getUTCFullYear();
    if (!(year >= 2010 && year <= 2099)) return false;
  }
  if (schema.minimum !== undefined && value < schema.minimum) return false;
  if (schema.maximum !== undefined && value > schema.maximum) return false;
  return schema.exclusiveMinimum === undefined || value > schema.exclusiveMinimum;
}

function brokenText(text: string): boolean {
  return text.includes('\0') || /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);
}

function decimalParts(text: string): { negative: boolean; zero: boolean } | null {
  const match = /^(-?)([0-9]{1,24})(?:\.([0-9]{1,18}))?$/.exec(text);
  if (!match || text.endsWith('\n')) return null;
  return { negative: match[1] === '-', zero: BigInt(match[2]!) === 0n && BigInt(match[3] ?? '0') === 0n };
}

function goodText(schema: Schema, value: string): boolean {
  if (schema.minLength !== undefined && value.length < schema.minLength) return false;
  if (schema.maxLength !== undefined && value.length > schema.maxLength) return false;
  const decimal = decimalParts(value);
  switch (schema.format) {
    case 'uuid':
      return (
        value
          .split('-')
          .map((part) => part.length)
          .join() === '8,4,4,4,12' && !/[^0-9a-f-]/.test(value)
      );
    case 'decimal':
      return decimal !== null;
    case 'decimal-positive':
      return decimal !== null && !decimal.negative && !decimal.zero;
    case 'decimal-not-negative':
      return decimal !== null && (!decimal.negative || decimal.zero);
    case 'line':
      return !brokenText(value) && ![...value].some((letter) => letter < ' ' || letter === '\u007f');
    case 'text':
      return !brokenText(value);
    default:
      return true;
  }
}

const badKey = (key: string): boolean =>
  ['__proto__', 'constructor', 'prototype', ''].includes(key) || !goodText({ format: 'line', maxLength: 200 }, key);

const isPlain = (value: unknown): value is object => Object.prototype.toString.call(value) === '[object Object]';

function goodFree(value: unknown, mode: string): boolean {
  if (typeof value === 'number') return goodNumber({ format: 'num15' }, value);
  if (typeof value === 'string') return goodText({ format: 'text', maxLength: 4000 }, value);
  if (value === null) return mode !== 'flat';
  if (mode !== 'deep') return false;
  if (typeof value === 'boolean') return true;
  if (Array.isArray(value)) return Array.from(value).every((item) => goodFree(item, mode));
  return isPlain(value) && Object.entries(value).every(([key, item]) => !badKey(key) && goodFree(item, mode));
}

function goodObject(schema: Schema, value: object): boolean {
  const members = new Map(Object.entries(value).filter(([, member]) => member !== undefined));
  if (schema.required?.some((name) => !members.has(name))) return false;
  for (const name of Object.keys(value)) {
    const known = Object.prototype.hasOwnProperty.call(schema.properties ?? {}, name);
    const byPattern = Object.keys(schema.patternProperties ?? {}).some((pattern) => new RegExp(pattern).test(name));
    if (schema.freeForm !== undefined && badKey(name)) return false;
    if (schema.additionalProperties === false && !known && !byPattern) return false;
    if (known && members.has(name) && !good(schema.properties![name]!, members.get(name))) return false;
    if (
      !known &&
      typeof schema.additionalProperties === 'object' &&
      !good(schema.additionalProperties, members.get(name))
    ) {
      return false;
    }
  }
  if (schema.freeForm === 'keys' || schema.freeForm === undefined) return true;
  return (
    [...members.values()].length === Object.keys(value).length &&
    [...members.values()].every((member) => goodFree(member, schema.freeForm!))
  );
}

function good(schema: Schema, value: unknown): boolean {
  if (value === null && schema.nullable) return true;
  if (schema.freeForm === 'scalar') return goodFree(value, 'scalar');
  if (schema.const !== undefined && value !== schema.const) return false;
  if (schema.enum && !schema.enum.includes(value)) return false;
  if (schema.oneOf) return schema.oneOf.filter((branch) => good(branch, value)).length === 1;
  switch (schema.type) {
    case 'number':
    case 'integer':
      return typeof value === 'number' && goodNumber(schema, value);
    case 'string':
      return typeof value === 'string' && goodText(schema, value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'array':
      return (
        Array.isArray(value) &&
        value.length <= (schema.maxItems ?? Infinity) &&
        Array.from(value).every((item) => good(schema.items ?? {}, item))
      );
    case 'object':
      return isPlain(value) && goodObject(schema, value);
    default:
      return true;
  }
}

/** Whether the data keeps the schema of that version of the type, judged independently of the validators. */
export function independentlyValid(type: string, version: number, data: unknown): boolean {
  const definition = allDefinitions.find((candidate) => candidate.type === type && candidate.version === version)!;
  return good(definition.schema as unknown as Schema, data);
}
