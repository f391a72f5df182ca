import { readFileSync } from 'node:fs';
import type { Static, TObject, TSchema } from '@sinclair/typebox';
import { Value, ValueErrorType, type ValueError } from '@sinclair/typebox/value';
import { parse as parseYaml } from 'yaml';
import { nearestName } from '@moon/kernel';

/** Where values come from; later sources win: the schema's defaults, the file, the environment, the flags, `--set`. */
export interface ConfigSources {
  /** A JSON or YAML file. */
  file?: string;
  /** Variables such as MOON_FEED__KIND; two underscores go one level down. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Values by dotted path, e.g. { 'feed.kind': 'synthetic' }. */
  flags?: Readonly<Record<string, unknown>>;
  /** The same, of `--set NAME=VALUE`; they win over all others. */
  set?: Readonly<Record<string, unknown>>;
}

/** A configuration that cannot be used: what is wrong, where, and what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly string[]) {
    super(`The configuration cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

const PREFIX = 'MOON_';
/** Variables with the prefix that are no configuration of the platform. */
const FOREIGN = new Set([
  'MOON_SHARED',
  'MOON_SUITE',
  'MOON_CONFIG',
  'MOON_CHROMIUM',
  'MOON_PROMETHEUS',
  'MOON_PROMTOOL',
  'MOON_STACK_CACHE',
  // Those that docker-compose.yml fills in where the servers and their users are made.
  'MOON_SUPERUSER_PASSWORD',
  'MOON_OWNER_PASSWORD',
  'MOON_APP_PASSWORD',
  'MOON_GRAFANA_PASSWORD',
  'MOON_KAFKA_CLUSTER_ID',
]);

type Tree = Record<string, unknown>;

/**
 * The whole configuration by one schema.
 * @throws ConfigError that lists every unknown key (with the nearest right name) and every wrong value
 */
export function loadConfig<S extends TObject>(schema: S, sources: ConfigSources): Static<S> {
  const problems: string[] = [];
  const given: Tree = {};
  if (sources.file !== undefined)
    merge(given, readFile(sources.file), { path: [], origin: `file ${sources.file}`, schema, problems });
  for (const [name, value] of Object.entries(sources.env ?? {})) {
    if (!name.startsWith(PREFIX) || FOREIGN.has(name) || value === undefined) continue;
    const path = pathOfVariable(name.slice(PREFIX.length), schema);
    setPath(given, value, { path, origin: `variable ${name}`, schema, problems });
  }
  for (const [path, value] of Object.entries(sources.flags ?? {})) {
    if (value !== undefined)
      setPath(given, value, { path: path.split('.'), origin: `flag --${path}`, schema, problems });
  }
  for (const [path, value] of Object.entries(sources.set ?? {}))
    setPath(given, value, { path: path.split('.'), origin: `--set ${path}`, schema, problems });
  const whole: unknown = Value.Default(schema, given);
  const wrong = [...Value.Errors(schema, whole)];
  const isUnknown = ({ type }: ValueError): boolean => type === ValueErrorType.ObjectAdditionalProperties;
  // A misspelt name first: it says why the right one is missing.
  for (const problem of wrong.filter(isUnknown))
    problems.push(unknownKey(problem.path.slice(1).split('/'), problem.schema, 'in a list'));
  for (const problem of wrong.filter((one) => !isUnknown(one))) {
    const path = problem.path.slice(1).replaceAll('/', '.') || 'the configuration';
    if (problems.some((known) => known.includes(`"${path}"`))) continue;
    problems.push(`"${path}" is ${show(problem.value)}: ${expected(problem)}${describe(schema, path)}`);
  }
  if (problems.length > 0) throw new ConfigError(problems.slice(0, 20));
  return whole as Static<S>;
}

function readFile(path: string): Tree {
  let content: unknown;
  try {
    content = parseYaml(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new ConfigError([`file ${path} is not there.`]);
    throw new ConfigError([
      `file ${path} cannot be read as YAML or JSON: ${error instanceof Error ? error.message : String(error)}`,
    ]);
  }
  if (content === null || typeof content !== 'object' || Array.isArray(content)) {
    throw new ConfigError([`file ${path} must hold an object of settings, not ${show(content)}`]);
  }
  return content as Tree;
}

/** Where a value is put, and where it comes from. */
interface Place {
  path: readonly string[];
  /** Named in problems. */
  origin: string;
  schema: TSchema;
  /** Collects what is wrong. */
  problems: string[];
}

/** Lays a file's tree over what is there; unknown names are reported, not taken. */
function merge(target: Tree, source: Tree, { path, origin, schema, problems }: Place): void {
  for (const [name, value] of Object.entries(source)) {
    const inner = propertyOf(schema, name);
    const here = [...path, name];
    if (inner === undefined) {
      problems.push(unknownKey(here, schema, origin));
    } else if (value !== null && typeof value === 'object' && !Array.isArray(value) && inner.properties !== undefined) {
      const child = (target[name] ??= {}) as Tree;
      merge(child, value as Tree, { path: here, origin, schema: inner, problems });
    } else target[name] = value;
  }
}

function setPath(target: Tree, value: unknown, { path, origin, schema, problems }: Place): void {
  let [node, inner]: [Tree, TSchema] = [target, schema];
  for (const [index, name] of path.entries()) {
    const next = propertyOf(inner, name);
    if (next === undefined) {
      problems.push(unknownKey(path.slice(0, index + 1), inner, origin));
      return;
    }
    if (index === path.length - 1) node[name] = typeof value === 'string' ? convert(next, value) : value;
    else node = (node[name] ??= {}) as Tree;
    inner = next;
  }
}

/** Text of a variable or flag as the schema's type; left as text when it does not fit, so that the error names it. */
function convert(schema: TSchema, value: string): unknown {
  if (schema.type === 'array' || schema.type === 'object') {
    try {
      return JSON.parse(value) as unknown;
    } catch {
      return schema.type === 'array' ? value.split(',').map((item) => item.trim()) : value;
    }
  }
  return Value.Convert(schema, value);
}

/** MOON_FEED__KIND → ['feed', 'kind']; names are compared without case, so that camelCase keys are reachable. */
function pathOfVariable(name: string, schema: TSchema): string[] {
  let inner: TSchema | undefined = schema;
  return name.split('__').map((part) => {
    const wanted = part.replaceAll('_', '').toLowerCase();
    const found = Object.keys((inner?.properties as Tree | undefined) ?? {}).find(
      (key) => key.toLowerCase() === wanted,
    );
    inner = found === undefined || inner === undefined ? undefined : propertyOf(inner, found);
    return found ?? part.toLowerCase();
  });
}

function propertyOf(schema: TSchema, name: string): TSchema | undefined {
  const properties = schema.properties as Record<string, TSchema> | undefined;
  return properties && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

function unknownKey(path: readonly string[], schema: TSchema, origin: string): string {
  const name = path.at(-1) ?? '';
  const names = Object.keys((schema.properties as Tree | undefined) ?? {});
  const nearest = nearestName(name, names);
  const hint =
    nearest === null
      ? ` Known here: ${names.join(', ')}.`
      : ` Did you mean "${[...path.slice(0, -1), nearest].join('.')}"?`;
  return `"${path.join('.')}" (${origin}) is not a setting.${hint}`;
}

/** What would be right in place of a value: the choices of a union, or what the schema's own check says. */
function expected({ schema, message, value }: ValueError): string {
  if (schema.anyOf === undefined) return message;
  const all = schema.anyOf as TSchema[];
  // A number that may be written as text, too, is asked for as a number; of other choices those of the value's own kind.
  const numbers = all.filter(({ type }) => type === 'number' || type === 'integer');
  const isNumber = numbers.length > 0 && (typeof value === 'number' || typeof value === 'string');
  const choices = isNumber ? numbers : all.filter(({ type }) => type === typeof value);
  const fitting = choices.length > 0 ? choices : all;
  const literals = fitting.filter((choice) => choice.const !== undefined);
  if (literals.length === fitting.length) {
    const names = literals.map((choice) => String(choice.const));
    return `expected ${names.length > 1 ? 'one of ' : ''}${names.join(', ')}`;
  }
  return `expected ${[...new Set(fitting.map(choiceText))].join(', or ')}`;
}

/** One choice of a union as words, with its bounds. */
function choiceText(choice: TSchema): string {
  if (choice.const !== undefined) return JSON.stringify(choice.const);
  if (choice.type === 'number' || choice.type === 'integer') {
    const [least, most] = [choice.minimum as number | undefined, choice.maximum as number | undefined];
    const bounds = [
      ...(least === undefined ? [] : [`at least ${least}`]),
      ...(most === undefined ? [] : [`at most ${most}`]),
    ];
    const kind = choice.type === 'integer' ? 'a whole number' : 'a number';
    return bounds.length === 0 ? kind : `${kind} of ${bounds.join(' and ')}`;
  }
  if (choice.type === 'string') {
    return choice.pattern === undefined ? 'text' : `text that matches ${String(choice.pattern)}`;
  }
  return choice.type === 'array'
    ? 'a list'
    : choice.type === 'null'
      ? 'null'
      : `a value of type ${String(choice.type)}`;
}

function describe(schema: TSchema, path: string): string {
  let inner: TSchema | undefined = schema;
  for (const name of path.split('.')) inner = inner && propertyOf(inner, name);
  return inner?.description === undefined ? '.' : `. ${inner.description}`;
}

function show(value: unknown): string {
  return value === undefined ? 'missing' : (JSON.stringify(value) ?? String(value)).slice(0, 80);
}
