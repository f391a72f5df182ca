import { ConfigError } from '@moon/infra';
import type { GroupPlan } from '@moon/kernel';
import { createGroup, type ShardSpec } from '../group-host';
import type { Part, PartContext } from '../process';
import { groupPart } from './group-part';

/** The plans that a process hosts: those of its application that its settings name, or all. @throws ConfigError */
export function chosen<T extends { name: string }>(all: readonly T[], only: readonly string[]): readonly T[] {
  const unknown = only.filter((name) => !all.some((one) => one.name === name));
  if (unknown.length > 0) {
    const known = all.map(({ name }) => name).join(', ');
    throw new ConfigError([`"only" names ${unknown.join(', ')}: this application hosts ${known}.`]);
  }
  return only.length === 0 ? all : all.filter(({ name }) => only.includes(name));
}

/** One consumer group of this process as a part of it. */
export function groupOf(
  context: PartContext,
  plan: GroupPlan,
  shard: (index: number, ownsKey: (key: string) => boolean) => ShardSpec,
): Part {
  const { connections } = context;
  const portfolios = plan.effects === 'venue' ? connections.config.platform.portfolios.map(({ name }) => name) : [];
  return groupPart(createGroup({ plan, connections, shard }), portfolios);
}
