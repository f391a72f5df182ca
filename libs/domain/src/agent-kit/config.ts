import type { Static, TObject } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

/** A part of a configuration at any depth: the schema's defaults fill the rest. */
export type PartialConfig<T> = {
  [K in keyof T]?: T[K] extends object ? (T[K] extends readonly unknown[] ? T[K] : PartialConfig<T[K]>) : T[K];
};

/**
 * The whole configuration: the schema's defaults with `given` over them.
 *
 * @throws Error that names the agent, the key, the value and the rule when a value does not fit the schema.
 */
export function completeConfig<S extends TObject>(
  agent: string,
  schema: S,
  given: PartialConfig<Static<S>>,
): Static<S> {
  const whole: unknown = Value.Default(schema, structuredClone(given));
  const problem = Value.Errors(schema, whole).First();
  if (problem === undefined) return whole as Static<S>;
  const value = (JSON.stringify(problem.value) ?? 'undefined').slice(0, 80);
  throw new Error(`Configuration of ${agent}: ${problem.path || '/'} is ${value}; ${problem.message}.`);
}
