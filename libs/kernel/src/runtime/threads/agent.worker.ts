import { parentPort, workerData } from 'node:worker_threads';
import type { AnyEvent } from '@moon/events';
import type { Handler } from '@moon/domain';
import { HandlerHost, isFailure, type Delivered } from '../../core/handler-host';
import { failureEvents } from '../../core/parking';
import { PROGRESS, type AgentModule, type FromThread, type RecordedSkip, type ThreadItem, type ThreadOutput, type ToThread } from './protocol';

/** Entry of an agent's thread: holds the agents' states and handles batches of events in the order of the log. */
function main(): void {
  const port = parentPort;
  if (!port) throw new Error('agent.worker runs in a worker thread only.');
  const { module, progress } = workerData as { module: AgentModule; progress: SharedArrayBuffer };
  const post = (message: FromThread): void => port.postMessage(message);
  const agents = load(module);
  const host = new HandlerHost(agents);
  const shared = new Float64Array(progress);
  shared[PROGRESS.handler] = -1;
  const indexOf = new Map(agents.map((agent, index) => [agent.name, index]));
  const skips = new Set<string>();

  const handle = (item: ThreadItem, outputs: ThreadOutput[]): void => {
    for (const { handler, key } of targetsOf(host, item)) {
      if (skips.delete(skipKey({ handler: handler.name, key, eventId: item.event.id }))) continue;
      shared[PROGRESS.seq] = item.seq;
      shared[PROGRESS.since] = Date.now();
      shared[PROGRESS.handler] = indexOf.get(handler.name) ?? -1;
      const result = host.deliver(handler, key, item.event);
      shared[PROGRESS.handler] = -1;
      const delivered: Delivered = isFailure(result)
        ? { handler: handler.name, key, events: failureEvents(result, handler, item.seq), commands: [], deadlines: [] }
        : { handler: result.handler, key, events: result.events, commands: [], deadlines: result.deadlines };
      if (!isFailure(result) && result.commands.length > 0) {
        throw new Error(`${handler.name} sent a command; agents emit opinions only.`);
      }
      if (delivered.events.length + delivered.deadlines.length > 0) outputs.push({ seq: item.seq, cause: causeOf(item.event), delivered });
    }
  };

  port.on('message', (message: ToThread) => {
    try {
      if (message.kind === 'restore') {
        host.restore(message.states);
        for (const skip of message.skips) skips.add(skipKey(skip));
      } else if (message.kind === 'events') {
        const outputs: ThreadOutput[] = [];
        for (const item of message.items) handle(item, outputs);
        post({ kind: 'done', seq: message.items[message.items.length - 1]?.seq ?? 0, count: message.items.length, outputs });
      } else {
        post({ kind: 'answer', id: message.id, value: message.what === 'states' ? host.states() : host.hashViews() });
      }
    } catch (thrown) {
      post({ kind: 'broken', error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) });
    }
  });
  const types = (agent: Handler): string[] => [...agent.consumes, ...(agent.broadcast ?? [])];
  post({ kind: 'ready', handlers: agents.map((agent) => ({ name: agent.name, types: types(agent) })) });
}

function load(module: AgentModule): Handler[] {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the path is only known at run time
  const loaded = require(module.path) as { createAgents?: (config: unknown) => Handler[] };
  if (typeof loaded.createAgents !== 'function') {
    throw new Error(`${module.path} exports no function createAgents(config): it is no module of agents.`);
  }
  const agents = loaded.createAgents(module.config).filter((agent) => module.only?.includes(agent.name) ?? true);
  if (agents.length === 0) throw new Error(`${module.path} has none of the agents ${module.only?.join(', ') ?? ''}.`);
  return agents;
}

function targetsOf(host: HandlerHost, item: ThreadItem): Array<{ handler: Handler; key: string }> {
  if (!item.only) return host.targets(item.event);
  return host.has(item.only.handler) ? [{ handler: host.handler(item.only.handler), key: item.only.key }] : [];
}

function causeOf(event: AnyEvent): ThreadOutput['cause'] {
  return { id: event.id, correlationId: event.correlationId, headers: event.headers };
}

function skipKey({ handler, key, eventId }: RecordedSkip): string {
  return `${handler}\u0000${key}\u0000${eventId}`;
}

main();
