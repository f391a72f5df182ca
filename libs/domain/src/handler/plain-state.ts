/**
 * Checks that a handler's state is plain JSON: objects, arrays, text, finite numbers, booleans and null. Only that
 * survives a checkpoint, a copy and a hash as it is; a Map would come back as `{}`.
 *
 * @throws TypeError that names the handler, the path within the state and what stands there
 */
export function assertPlainState(state: unknown, handler: string): void {
  check(state, handler, '$');
}

function check(value: unknown, handler: string, path: string): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) check(value[index], handler, `${path}[${index}]`);
    return;
  }
  if (typeof value === 'object' && isPlainObject(value)) {
    for (const name of Object.keys(value)) {
      check((value as Record<string, unknown>)[name], handler, `${path}.${name}`);
    }
    return;
  }
  throw new TypeError(`State of ${handler} is not plain JSON at ${path}: ${describe(value)}.`);
}

/** Also an object literal of another realm, whose `Object` is not ours, has a prototype without a prototype. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? 'a function' : String(value);
  return `a ${value.constructor?.name ?? 'strange object'}`;
}
