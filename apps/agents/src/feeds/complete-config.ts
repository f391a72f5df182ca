import type { Static, TObject } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

/**
 * A whole configuration: the schema's defaults with `given` over them.
 * @throws Error that names the feed, the key, the value and the rule when a value does not fit
 */
export function completeFeedConfig<S extends TObject>(feed: string, schema: S, given: Partial<Static<S>>): Static<S> {
  const whole: unknown = Value.Default(schema, structuredClone(given));
  const problem = Value.Errors(schema, whole).First();
  if (problem === undefined) return whole as Static<S>;
  const value = (JSON.stringify(problem.value) ?? 'undefined').slice(0, 80);
  throw new Error(`Configuration of feed ${feed}: ${problem.path || '/'} is ${value}; ${problem.message}.`);
}
