import type { Action, View } from '../../agent-kit';

export type ParsedAnswer = { ok: true; view: View } | { ok: false; detail: string };

const ACTIONS: readonly string[] = ['BUY', 'SELL', 'HOLD'];
const FIELDS = ['action', 'confidence', 'reason', 'score'];
const MAX_REASON = 1_000;

/**
 * Reads a model's answer: exactly one JSON object with exactly action, score, confidence and reason, each in its range.
 * Nothing is guessed or mended: a fence, a missing or further field, a number as text or out of range refuses the answer.
 */
export function parseAnswer(text: string): ParsedAnswer {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('not JSON', text);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse('not a JSON object', text);
  const fields = value as Record<string, unknown>;
  const names = Object.keys(fields);
  if (names.length !== FIELDS.length || !FIELDS.every((name) => Object.hasOwn(fields, name)))
    return refuse(`its fields are [${names.sort().join(', ').slice(0, 80)}], not [${FIELDS.join(', ')}]`, text);
  const { action, score, confidence, reason } = fields;
  if (typeof action !== 'string' || !ACTIONS.includes(action)) return refuse('action is not BUY, SELL or HOLD', text);
  if (!inRange(score, 100)) return refuse('score is not a number from 0 to 100', text);
  if (!inRange(confidence, 1)) return refuse('confidence is not a number from 0 to 1', text);
  if (typeof reason !== 'string' || reason.length > MAX_REASON)
    return refuse(`reason is not a text of at most ${MAX_REASON} characters`, text);
  return { ok: true, view: { action: action as Action, score, confidence, reason: oneLine(reason) } };
}

function inRange(value: unknown, high: number): value is number {
  return typeof value === 'number' && value >= 0 && value <= high;
}

function refuse(rule: string, text: string): ParsedAnswer {
  return { ok: false, detail: `The answer is refused: ${rule}. It begins: ${oneLine(text.slice(0, 80))}` };
}

/** Without line breaks, control characters and half surrogate pairs: fit for one line of an event, a log and a screen. */
export function oneLine(text: string): string {
  // String.prototype.toWellFormed is in Node 20 but not yet in the ES2023 library types.
  const wellFormed = (text as string & { toWellFormed(): string }).toWellFormed();

  return wellFormed.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}
