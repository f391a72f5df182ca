import { ConfigError } from '@moon/infra';

/** The plans that a process hosts: those of its application that its settings name, or all. @throws ConfigError */
export function chosen<T extends { name: string }>(all: readonly T[], only: readonly string[]): readonly T[] {
  const unknown = only.filter((name) => !all.some((one) => one.name === name));
  if (unknown.length > 0) {
    const known = all.map(({ name }) => name).join(', ');
    throw new ConfigError([`"only" names ${unknown.join(', ')}: this application hosts ${known}.`]);
  }
  return only.length === 0 ? all : all.filter(({ name }) => only.includes(name));
}
