import { basename, extname } from 'node:path';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { Handler } from '@moon/domain';
import { HandlerHost, isFailure, type Delivered } from '../../core/handler-host';
import { failureEvents } from '../../core/failure-events';
import { loadAgents } from '../../user-agents/load-agents';
import {
  METRICS,
  PROGRESS,
  type AgentModule,
  type AgentPosition,
  type FromThread,
  type RecordedSkip,
  type ThreadCut,
  type ThreadItem,
  type ThreadOutput,
  type ToThread,
} from './protocol';
import { giveWay, kernelThreadId } from './thread-priority';

/** How long events are handled before what they made is handed over and messages are looked at, ms. */
const SLICE_MS = 5;

/** The inside of an agent's thread: holds the agents' states and handles events in the order of the log. */
class AgentWorker {
  private readonly host: HandlerHost;
  private readonly indexOf: ReadonlyMap<string, number>;
  private readonly keys = new Map<string, number>();
  private readonly positions = new Map<string, AgentPosition>();
  private readonly skips = new Set<string>();
  private pending: ThreadItem[] = [];
  private head = 0;
  private isScheduled = false;
  private handledSeq = 0;
  private completeSeq = 0;

  constructor(
    private readonly agents: readonly Handler[],
    private readonly progress: Float64Array,
    private readonly port: MessagePort,
  ) {
    this.host = new HandlerHost(agents);
    this.indexOf = new Map(agents.map((agent, index) => [agent.name, index]));
    this.progress[PROGRESS.handler] = -1;
    const types = (agent: Handler): string[] => [...agent.consumes, ...(agent.broadcast ?? [])];
    const handlers = agents.map((agent) => ({ name: agent.name, types: types(agent) }));
    this.post({ kind: 'ready', handlers, threadId: kernelThreadId() });
  }

  receive(message: ToThread): void {
    if (message.kind === 'start') {
      for (const { agent, seq, silentUpTo, states } of message.bases) {
        this.positions.set(agent, { seq, silentUpTo });
        this.host.restore(states);
      }
      for (const skip of message.skips) this.skips.add(skipKey(skip));
    } else if (message.kind === 'events') {
      for (const item of message.items) this.pending.push(item);
      this.completeSeq = message.upTo;
      if (!this.isScheduled) this.work();
    } else {
      this.completeSeq = Math.max(this.completeSeq, message.upTo);
      this.post({
        kind: 'answer',
        id: message.id,
        value: message.what === 'states' ? this.cut() : this.host.hashViews(),
      });
    }
  }

  /** Handles what waits for a while; then lets messages in. */
  private work(): void {
    this.isScheduled = false;
    const end = Date.now() + SLICE_MS;
    const outputs: ThreadOutput[] = [];
    const from = this.head;
    for (let item = this.pending[this.head]; item; item = this.pending[this.head]) {
      this.head += 1;
      this.handle(item, outputs);
      this.handledSeq = item.seq;
      if (Date.now() >= end) break;
    }
    const count = this.head - from;
    if (this.head === this.pending.length) {
      this.pending = [];
      this.head = 0;
    } else {
      this.isScheduled = true;
      setImmediate(() => this.work());
    }
    this.post({ kind: 'done', seq: this.handledSeq, count, outputs });
  }

  private handle(item: ThreadItem, outputs: ThreadOutput[]): void {
    const targets = item.replay
      ? [{ handler: this.host.handler(item.replay.data.handler), key: item.replay.data.handlerKey }]
      : this.host.targets(item.event);
    for (const { handler, key } of targets) {
      const position = this.positions.get(handler.name);
      if (position && item.seq <= position.seq) continue;
      if (this.skips.size > 0 && this.skips.has(skipKey({ handler: handler.name, key, seq: item.seq }))) continue;
      this.begin(handler, key, item.seq);
      const startedAt = performance.now();
      const delivered = this.deliver(handler, key, item);
      this.progress[PROGRESS.handler] = -1;
      this.count(handler, METRICS.handled, 1);
      this.count(handler, METRICS.emitted, delivered.events.length);
      this.count(handler, METRICS.busyMs, performance.now() - startedAt);
      if (position && item.seq <= position.silentUpTo) continue;
      if (delivered.events.length + delivered.deadlines.length === 0) continue;
      const { id, correlationId, headers } = item.event;
      outputs.push({ seq: item.seq, cause: { id, correlationId, headers }, delivered });
    }
  }

  private deliver(handler: Handler, key: string, item: ThreadItem): Delivered {
    const result = this.host.deliver({ handler, key }, item.event);
    if (isFailure(result)) {
      this.count(handler, METRICS.failed, 1);
      const events = failureEvents(result, handler, item.seq, item.replay);
      return { handler: handler.name, key, events, commands: [], deadlines: [] };
    }
    // A plain copy: the outbox itself refers to the cause, and would take it along to the other thread.
    return { handler: handler.name, key, events: result.events, commands: [], deadlines: result.deadlines };
  }

  /** Says what is being handled, for the watchdog: the handler last, so that the rest is right once it is seen. */
  private begin(handler: Handler, key: string, seq: number): void {
    let index = this.keys.get(key);
    if (index === undefined) {
      index = this.keys.size;
      this.keys.set(key, index);
      this.post({ kind: 'key', key });
    }
    this.progress[PROGRESS.key] = index;
    this.progress[PROGRESS.seq] = seq;
    this.progress[PROGRESS.since] = Date.now();
    this.progress[PROGRESS.handler] = this.indexOf.get(handler.name) ?? -1;
  }

  private count(handler: Handler, field: number, by: number): void {
    const at = PROGRESS.length + (this.indexOf.get(handler.name) ?? 0) * METRICS.length + field;
    this.progress[at] = (this.progress[at] ?? 0) + by;
  }

  private cut(): ThreadCut {
    const isUpToDate = this.head === this.pending.length;
    return { seq: isUpToDate ? this.completeSeq : this.handledSeq, states: this.host.states() };
  }

  private post(message: FromThread): void {
    this.port.postMessage(message);
  }
}

function load(module: AgentModule): Handler[] {
  const agents = build(module).filter((agent) => module.only?.includes(agent.name) ?? true);
  if (agents.length === 0) throw new Error(`${module.path} has none of the agents ${module.only?.join(', ') ?? ''}.`);
  return agents;
}

function build({ path, config, isUsers }: AgentModule): Handler[] {
  // A user's agent has this thread to itself, so that nothing has to be kept from its code here.
  if (isUsers) return loadAgents({ path, name: basename(path, extname(path)), config, isConfined: false }).handlers;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the path is only known at run time
  const loaded = require(path) as { createAgents?: (config: unknown) => Handler[] };
  if (typeof loaded.createAgents !== 'function') {
    throw new Error(`${path} exports no function createAgents(config): it is no module of agents.`);
  }
  return loaded.createAgents(config);
}

function skipKey({ handler, key, seq }: RecordedSkip): string {
  return `${handler}\u0000${key}\u0000${seq}`;
}

if (!parentPort) throw new Error('agent.worker runs in a worker thread only.');
const { module: agentModule, progress } = workerData as { module: AgentModule; progress: SharedArrayBuffer };
// Before the first line of the agents' own code runs.
if (agentModule.givesWay) giveWay();
// What is thrown here ends the thread, and its owner hears of it by the 'error' event.
const worker = new AgentWorker(load(agentModule), new Float64Array(progress), parentPort);
parentPort.on('message', (message: ToThread) => worker.receive(message));
