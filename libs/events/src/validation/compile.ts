import Ajv from 'ajv';
import type { ErrorObject, ValidateFunction } from 'ajv';
import type { EventDefinition } from '../define';
import type { Refusal, RefusalRule } from '../refused';
import * as formats from './formats';
import { freeFormProblem, isPrototypeKey, numberProblem } from './free-form';
import type { FreeFormMode, FreeFormProblem } from './free-form';

type FormatTest =
  { type: 'number'; validate: (value: number) => boolean } | { type: 'string'; validate: (text: string) => boolean };

const FORMATS: Readonly<Record<string, FormatTest>> = {
  num15: { type: 'number', validate: formats.hasAtMost15Digits },
  'epoch-ms': { type: 'number', validate: formats.isEpochMs },
  decimal: { type: 'string', validate: formats.isDecimal },
  'decimal-positive': { type: 'string', validate: formats.isPositiveDecimal },
  'decimal-not-negative': { type: 'string', validate: formats.isNonNegativeDecimal },
  uuid: { type: 'string', validate: formats.isUuid },
  line: { type: 'string', validate: formats.isLine },
  text: { type: 'string', validate: formats.isText },
};

/** A keyword's function reports its errors on itself: that is Ajv's contract. */
interface KeywordFunction {
  (mode: FreeFormMode, data: unknown, parentSchema?: object, context?: unknown): boolean;
  errors?: Partial<ErrorObject>[];
}

const freeForm: KeywordFunction = (mode, data) => {
  const found = freeFormProblem(mode, data);
  if (!found) return true;
  freeForm.errors = [
    { keyword: 'freeForm', message: found.expected, params: found as unknown as Record<string, unknown> },
  ];
  return false;
};

function createAjv(): Ajv {
  const ajv = new Ajv({
    strict: true,
    strictRequired: false,
    discriminator: true,
    verbose: true,
    // Lengths in UTF-16 units, as String.length and every bound here mean them.
    unicode: false,
    // It would only say that the option above is going to change.
    logger: false,
    addUsedSchema: false,
    // They are our own, and a test holds them against the meta-schema; here that would cost every start a tenth of a second.
    validateSchema: false,
    code: { optimize: false },
  });
  for (const [name, test] of Object.entries(FORMATS)) ajv.addFormat(name, test as never);
  ajv.addKeyword({ keyword: 'freeForm', schemaType: 'string', validate: freeForm, errors: true });
  return ajv;
}

const ajv = createAjv();
const compiled = new Map<EventDefinition, ValidateFunction>();

/** The validator of one version of an event type: compiled at first use, then kept. */
export function validatorOf(definition: EventDefinition): ValidateFunction {
  let validate = compiled.get(definition);
  if (!validate) {
    validate = ajv.compile(definition.schema);
    compiled.set(definition, validate);
  }
  return validate;
}

const pathOf = (pointer: string): string =>
  `data${pointer.replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~')}`;

function formatRefusal(error: ErrorObject): { rule: RefusalRule; expected: string } {
  const format = (error.params as { format: string }).format;
  switch (format) {
    case 'num15':
      return (
        numberProblem('', error.data as number) ?? {
          rule: 'digits',
          expected: 'at most 15 significant digits are allowed',
        }
      );
    case 'epoch-ms':
      return timeRefusal(error.data as number);
    case 'uuid':
      return { rule: 'uuid', expected: 'a UUID in lower case is expected' };
    case 'line':
      return { rule: 'control_character', expected: 'one printable line is expected' };
    case 'text':
      return { rule: 'control_character', expected: 'NUL and broken surrogates are not allowed' };
    default:
      return decimalRefusal(format, error.data as string);
  }
}

function decimalRefusal(format: string, text: string): { rule: RefusalRule; expected: string } {
  if (!formats.isDecimal(text)) {
    return { rule: 'decimal', expected: 'a decimal of up to 24 digits and 18 places as text is expected, e.g. "12.5"' };
  }
  return format === 'decimal-positive'
    ? { rule: 'negative', expected: 'a decimal above zero is expected' }
    : { rule: 'negative', expected: 'a decimal of at least zero is expected' };
}

export function timeRefusal(value: number): { rule: RefusalRule; expected: string } {
  const rule = formats.timeRule(value);
  const expected = 'whole epoch milliseconds from 2010 to 2099 are expected';
  return { rule, expected: rule === 'time' ? expected : `${expected}, this looks like ${rule}` };
}

function rangeRefusal(error: ErrorObject): { rule: RefusalRule; expected: string } {
  const { comparison, limit } = error.params as { comparison: string; limit: number };
  const negative = limit === 0 && comparison.startsWith('>');
  return { rule: negative ? 'negative' : 'range', expected: `a value ${comparison} ${limit} is expected` };
}

function typeRefusal(error: ErrorObject): { rule: RefusalRule; expected: string } {
  if (typeof error.data === 'number' && !Number.isFinite(error.data)) {
    return { rule: 'not_finite', expected: 'a finite number is expected' };
  }
  return { rule: 'wrong_type', expected: `the type ${String((error.params as { type: unknown }).type)} is expected` };
}

/** Ajv's words turned into a refusal that names field, value and rule. */
export function refusalFrom(error: ErrorObject): Refusal {
  const field = pathOf(error.instancePath);
  const params = error.params as Record<string, unknown>;
  const at = (rule: RefusalRule, expected: string): Refusal => ({ field, value: error.data, rule, expected });
  switch (error.keyword) {
    case 'additionalProperties': {
      const name = String(params.additionalProperty);
      const value = (error.data as Record<string, unknown>)[name];
      if (isPrototypeKey(name)) {
        return {
          field: `${field}.${name}`,
          value,
          rule: 'prototype_key',
          expected: 'keys that reach a prototype are not allowed',
        };
      }
      return { field: `${field}.${name}`, value, rule: 'unknown_field', expected: 'the schema has no such field' };
    }
    case 'required':
      return {
        field: `${field}.${String(params.missingProperty)}`,
        value: undefined,
        rule: 'missing_field',
        expected: 'the field is required',
      };
    case 'freeForm': {
      const found = params as unknown as FreeFormProblem;
      return { ...found, field: pathOf(`${error.instancePath}${found.path}`) };
    }
    case 'format':
      return { field, value: error.data, ...formatRefusal(error) };
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
      return { field, value: error.data, ...rangeRefusal(error) };
    case 'type':
      return { field, value: error.data, ...typeRefusal(error) };
    case 'maxLength':
      return at(
        'too_long',
        `at most ${String(params.limit)} characters are allowed, here are ${(error.data as string).length}`,
      );
    case 'minLength':
      return at('too_short', 'the text may not be empty');
    case 'maxItems':
      return at('too_many', `at most ${String(params.limit)} items are allowed`);
    case 'const':
      return at('not_a_choice', `"${String(params.allowedValue)}" is expected`);
    case 'enum':
      return at('not_a_choice', `one of ${(params.allowedValues as unknown[]).join(', ')} is expected`);
    case 'discriminator':
      return {
        field: `${field}.${String(params.tag)}`,
        value: params.tagValue,
        rule: 'not_a_choice',
        expected: 'a known variant is expected',
      };
    default:
      return at('wrong_type', error.message ?? error.keyword);
  }
}
