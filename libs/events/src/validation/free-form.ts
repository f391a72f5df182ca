import { MAX_LINE, MAX_TEXT } from '../fields';
import type { RefusalRule } from '../refused';
import { hasAtMost15Digits, isLine, isText } from './formats';

/** What is wrong with a free-form value, and where below it. */
export interface FreeFormProblem {
  path: string;
  value: unknown;
  rule: RefusalRule;
  expected: string;
}

/** `scalar`: number, text or null. `flat`: a map to numbers and texts. `keys`: only the keys. `deep`: any JSON. */
export type FreeFormMode = 'scalar' | 'flat' | 'keys' | 'deep';

const MAX_DEPTH = 12;
const MAX_NODES = 10_000;
const PROTOTYPE_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export const isPrototypeKey = (key: string): boolean => PROTOTYPE_KEYS.has(key);

const problem = (path: string, value: unknown, rule: RefusalRule, expected: string): FreeFormProblem => ({
  path,
  value,
  rule,
  expected,
});

export function numberProblem(path: string, value: number): FreeFormProblem | null {
  if (!Number.isFinite(value)) return problem(path, value, 'not_finite', 'a finite number is expected');
  return hasAtMost15Digits(value) ? null : problem(path, value, 'digits', 'at most 15 significant digits are allowed');
}

function textProblem(path: string, value: string): FreeFormProblem | null {
  if (value.length > MAX_TEXT) {
    return problem(path, value, 'too_long', `at most ${MAX_TEXT} characters are allowed, here are ${value.length}`);
  }
  return isText(value) ? null : problem(path, value, 'control_character', 'NUL and broken surrogates are not allowed');
}

export function keyProblem(path: string, key: string): FreeFormProblem | null {
  if (isPrototypeKey(key)) return problem(path, key, 'prototype_key', 'keys that reach a prototype are not allowed');
  if (key.length > MAX_LINE) return problem(path, key, 'too_long', `a key has at most ${MAX_LINE} characters`);
  if (key.length === 0) return problem(path, key, 'too_short', 'a key has at least one character');
  return isLine(key) ? null : problem(path, key, 'control_character', 'a key is one printable line');
}

/** Objects as JSON makes them; the prototype is told by its own lack of one, which holds across realms too. */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Finds the first thing in a free-form value that may not be there; null = all is well. */
export function freeFormProblem(mode: FreeFormMode, root: unknown): FreeFormProblem | null {
  let nodes = 0;
  const visit = (value: unknown, path: string, depth: number): FreeFormProblem | null => {
    nodes += 1;
    if (nodes > MAX_NODES) return problem(path, value, 'too_many', `at most ${MAX_NODES} values are allowed`);
    if (typeof value === 'number') return numberProblem(path, value);
    if (typeof value === 'string') return textProblem(path, value);
    if (value === null && mode !== 'flat') return null;
    if (mode === 'deep') {
      if (typeof value === 'boolean') return null;
      if (typeof value === 'object') return visitMembers(value as object, path, depth + 1);
    }
    const expected = mode === 'deep' ? 'plain JSON is expected' : 'a number or a text is expected';
    return problem(path, value, 'wrong_type', expected);
  };
  const visitMembers = (value: object, path: string, depth: number): FreeFormProblem | null => {
    if (depth > MAX_DEPTH) return problem(path, value, 'too_deep', `at most ${MAX_DEPTH} levels are allowed`);
    if (Array.isArray(value)) {
      for (let at = 0; at < value.length; at += 1) {
        const found = visit(value[at], `${path}/${at}`, depth);
        if (found) return found;
      }
      return null;
    }
    if (!isPlainObject(value)) return problem(path, value, 'wrong_type', 'a plain object is expected');
    for (const key of Object.keys(value)) {
      const below = `${path}/${key.slice(0, MAX_LINE)}`;
      const found =
        keyProblem(below, key) ??
        (mode === 'keys' ? null : visit((value as Record<string, unknown>)[key], below, depth));
      if (found) return found;
    }
    return null;
  };
  if (mode === 'scalar') return visit(root, '', 0);
  if (typeof root !== 'object' || root === null || Array.isArray(root)) {
    return problem('', root, 'wrong_type', 'an object is expected');
  }
  return visitMembers(root, '', 0);
}
