import { CATALOG, TOPICS, type AnyEvent, type EventType, type TopicName } from '@moon/events';
import { createAgents, createDeciders, type Handler, type PlatformConfig } from '@moon/domain';
import { addresseeOf } from '../core/operator-desk';
import { MARKET_TYPES } from '../venue-link/venue-link';

/** What a consumer group does with the outside world beside the broker. */
export type GroupEffects = 'none' | 'model' | 'venue';

/** One consumer group of the distributed platform: its handlers, what they hear, and how it is split. */
export interface GroupPlan {
  name: string;
  partitionedBy: Handler['partitionedBy'];
  effects: GroupEffects;
  handlers: readonly Handler[];
  /** Topics of which a shard owns its part. */
  keyed: readonly TopicName[];
  /** Topics of which every shard hears everything. */
  broadcast: readonly TopicName[];
  /** Types that its handlers name, and those that its venue is fed with. */
  types: ReadonlySet<EventType>;
}

/** Where keys that stand for everybody live: every shard has its own. */
const EVERYBODYS_KEYS: ReadonlySet<string> = new Set(['global', 'system']);

/**
 * The static wiring of handlers to consumer groups. Each agent is a group of its own, so that it can be scaled, and can
 * fail, alone; what must share a process shares a group (rule 21).
 */
export function groupPlans(config: PlatformConfig): GroupPlan[] {
  const deciders = createDeciders(config);
  const ofToken = deciders.filter(({ partitionedBy }) => partitionedBy === 'token');
  const isNormaliser = ({ role }: Handler): boolean => role === 'normaliser';
  const groups: Array<[name: string, effects: GroupEffects, handlers: Handler[]]> = [
    ['normalisers', 'none', ofToken.filter(isNormaliser)],
    ...createAgents(config).map((agent): [string, GroupEffects, Handler[]] => {
      return [agent.name.replace('/', '.'), agent.consumes.includes('inference.completed') ? 'model' : 'none', [agent]];
    }),
    ['consensus', 'none', ofToken.filter((handler) => !isNormaliser(handler))],
    ['execution', 'venue', deciders.filter(({ partitionedBy }) => partitionedBy === 'portfolio')],
  ];
  return groups
    .filter(([, , handlers]) => handlers.length > 0)
    .map(([name, effects, handlers]) => ({ name, effects, ...planOf(name, effects, handlers) }));
}

function planOf(
  name: string,
  effects: GroupEffects,
  handlers: readonly Handler[],
): Pick<GroupPlan, 'handlers' | 'partitionedBy' | 'keyed' | 'broadcast' | 'types'> {
  const [first] = handlers;
  if (!first || handlers.some(({ partitionedBy }) => partitionedBy !== first.partitionedBy)) {
    throw new Error(`The handlers of group ${name} are not partitioned by the same thing.`);
  }
  // A venue follows the market by what its shards hear, whether a handler names it or not.
  const whole = [
    ...handlers.flatMap((handler) => handler.broadcast ?? []),
    ...(effects === 'venue' ? MARKET_TYPES : []),
  ];
  // Every shard hears operators: dead letters and parked keys of its own are theirs to replay.
  const broadcast = new Set([topicOf('operator.command')]);
  for (const type of whole) broadcast.add(topicOf(type));
  const keyed = new Set(handlers.flatMap((handler) => handler.consumes).map(topicOf));
  // A topic with few partitions cannot be divided; one that some handler hears whole is heard whole by all.
  for (const topic of keyed) if (TOPICS[topic].partitions % LEAST_PARTITIONS !== 0) broadcast.add(topic);
  for (const topic of broadcast) keyed.delete(topic);
  const types = new Set([...handlers.flatMap((handler) => handler.consumes), ...whole]);
  const { partitionedBy } = first;
  return { handlers, partitionedBy, keyed: [...keyed], broadcast: [...broadcast], types };
}

/** Partitions that every topic which is divided among shards has a multiple of. */
export const LEAST_PARTITIONS = 6;

/** How many shards a group may have. */
export const SHARD_COUNTS = [1, 2, 3, 6] as const;

/**
 * Whether a shard takes an event. Of what all shards hear it takes what no shard owns (prices, approvals), what
 * everybody owns (global halts), and of what is keyed by portfolio its own portfolios'. Under its name, it takes what
 * operators ask about its dead letters, too.
 */
export function takesOf(
  { types, partitionedBy, broadcast }: GroupPlan,
  ownsKey: (key: string) => boolean,
  shard?: string,
): (event: AnyEvent) => boolean {
  const shared = new Set(broadcast);
  return (event) => {
    if (shard !== undefined && addresseeOf(event) === shard) return true;
    if (!types.has(event.type)) return false;
    const { topic, keyRule } = CATALOG[event.type];
    if (partitionedBy === 'token' || !shared.has(topic)) return true;
    const isOwned = keyRule === 'portfolio' || keyRule === 'scope' || keyRule === 'handlerKey';
    return !isOwned || EVERYBODYS_KEYS.has(event.key) || ownsKey(event.key);
  };
}

function topicOf(type: EventType): TopicName {
  return CATALOG[type].topic;
}
