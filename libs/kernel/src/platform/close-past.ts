import { createAgents, type PlatformConfig } from '@moon/domain';
import { canonicalHash } from '../core/canonical-json';
import type { HandlerState } from '../core/handler-host';
import { LogWriter } from '../log/log-writer';
import type { EventStore } from '../ports/event-store';
import { recover, saveCheckpoint } from '../runtime/recover';
import type { AgentsCut } from '../runtime/threads/agent-threads';
import { assemble, type AssembleOptions } from './assemble';

/** What a run is assembled from, but for its log. */
type PastOptions = Omit<AssembleOptions, 'log' | 'onRequest' | 'onEvent' | 'remote'> & { store: EventStore };

/**
 * Configuration is an input (rule 8): what the log holds was decided under the settings that it names. When a start brings
 * other settings, the log is first handled to its end under the old ones and a checkpoint is taken there, so that the new
 * ones decide nothing of the past. Under the same settings it does nothing.
 *
 * @returns true when the past was closed
 */
export async function closePast({ store, ...options }: PastOptions): Promise<boolean> {
  const old = await lastSettings(store);
  if (old === null || canonicalHash(old) === canonicalHash(options.config)) return false;
  const log = new LogWriter(store, await store.lastSeq());
  const engine = assemble({ ...options, config: old, log, onRequest: () => undefined });
  const { unlogged } = await recover({ store, engine, observe: (event) => options.link.observe(event) });
  for (const event of unlogged) engine.input(event);
  engine.drain();
  await log.durable(engine.lastSeq);
  // Behind the checkpoint nothing is handled again, hence nothing is fed again.
  await options.link.feedAgain();
  await saveCheckpoint(store, log, engine, await agentsCut(store, old, engine.lastSeq));
  return true;
}

async function lastSettings(store: EventStore): Promise<PlatformConfig | null> {
  const { rows } = await store.query({ types: ['config.activated'], order: 'newest', limit: 1 });
  const event = rows[0]?.event;
  return event?.type === 'config.activated' ? (event.data.values.platform as unknown as PlatformConfig) : null;
}

/** Built-in agents stand where the log ends; users' agents, which are not part of this, stay where the last checkpoint had them. */
async function agentsCut(store: EventStore, platform: PlatformConfig, seq: number): Promise<AgentsCut> {
  const checkpoint = await store.latestCheckpoint();
  const before = (checkpoint?.meta.agents ?? {}) as AgentsCut['positions'];
  const builtIn = createAgents(platform).map(({ name }) => name);
  const foreign = Object.keys(before).filter((name) => !builtIn.includes(name));
  const states = (checkpoint?.entries ?? [])
    .filter(({ handler }) => foreign.includes(handler))
    .map(({ handler, key, state }) => ({ ...(state as Omit<HandlerState, 'handler' | 'key'>), handler, key }));
  const positions = Object.fromEntries(builtIn.map((name) => [name, { seq, silentUpTo: seq }]));
  for (const name of foreign) positions[name] = before[name] ?? { seq: 0, silentUpTo: 0 };
  return { positions, states };
}
