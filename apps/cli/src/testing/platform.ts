import { CATALOG, DEFINITIONS, eventId, type AnyEvent, type EmitData, type EventType } from '@moon/events';
import {
  createRoles,
  lockDataDir,
  OperatorInbox,
  RunRegistry,
  startEmbeddedPostgres,
  type DataDirLock,
  type EmbeddedServer,
  type PostgresAccess,
  type PostgresEventStore,
  type Run,
  type RunRequest,
} from '@moon/infra';
import type { LogRow } from '@moon/kernel';

/** What is different of a test event from a plain one without a cause. */
export interface Said {
  at?: number;
  cause?: AnyEvent;
  key?: string;
  headers?: AnyEvent['headers'];
}

export const T0 = Date.UTC(2024, 0, 1);

interface Parts {
  registry: RunRegistry;
  server: EmbeddedServer;
  lock: DataDirLock;
}

let runs = 0;

/**
 * Stands for the platform as others meet it: it holds the data directory, has the server running, writes to the log of
 * a run and takes operators' requests. What it writes is up to the test.
 */
export class FakePlatform {
  private seq = 0;
  private readonly versions = new Map<string, number>();

  private constructor(
    readonly run: Run,
    readonly store: PostgresEventStore,
    readonly requests: OperatorInbox,
    readonly access: PostgresAccess,
    private readonly parts: Parts,
  ) {}

  /** Starts on a data directory, with the synthetic run. */
  static async start(dataDir: string): Promise<FakePlatform> {
    const lock = lockDataDir(dataDir);
    const server = await startEmbeddedPostgres({ dataDir, settings: { fsync: 'off' } });
    const access = await createRoles(server);
    const registry = await RunRegistry.open(access);
    return FakePlatform.on({ mode: 'synthetic' }, access, { registry, server, lock });
  }

  private static async on(request: RunRequest, access: PostgresAccess, parts: Parts): Promise<FakePlatform> {
    const { run } = await parts.registry.openRun(request);
    const store = parts.registry.openStore(run);
    const platform = new FakePlatform(run, store, new OperatorInbox(access.app, run.database), access, parts);
    for await (const { seq, streamId, version } of store.readLog(0)) {
      platform.seq = seq;
      if (streamId !== undefined && version !== undefined) platform.versions.set(streamId, version);
    }
    return platform;
  }

  /** Goes over to a new, empty run of the same data directory: cheaper than another start. */
  async another(): Promise<FakePlatform> {
    await this.closeRun();
    const fingerprint = eventId('cli-test-run', String((runs += 1))).replaceAll('-', '');
    return FakePlatform.on({ mode: 'recorded', fingerprint }, this.access, this.parts);
  }

  get registry(): RunRegistry {
    return this.parts.registry;
  }

  /** Writes one event to the end of the log, its data being the type's example with changes. */
  async say<T extends EventType>(
    type: T,
    data: Partial<EmitData<T>> = {},
    { at, cause, key, headers }: Said = {},
  ): Promise<AnyEvent> {
    const occurredAt = at ?? (cause?.occurredAt ?? T0) + 1;
    const whole = { ...DEFINITIONS[type].example, ...data, event_type: type } as unknown as AnyEvent['data'];
    const stamped = 'timestamp' in whole ? { ...whole, timestamp: occurredAt } : whole;
    const { schemaVersion, keyOf, streamId } = CATALOG[type];
    const id = eventId('cli-test', type, String(this.seq + 1), this.run.runId);
    const event = {
      ...{ id, type, schemaVersion, source: 'test', key: key ?? keyOf(stamped as never), occurredAt },
      ...{ correlationId: cause?.correlationId ?? id, causationId: cause?.id ?? null, data: stamped },
      ...(headers && { headers }),
    } as unknown as AnyEvent;
    const row: LogRow = { seq: (this.seq += 1), event };
    const stream = streamId(stamped as never);
    if (stream !== null) {
      row.streamId = stream;
      row.version = (this.versions.get(stream) ?? 0) + 1;
      this.versions.set(stream, row.version);
    }
    await this.store.appendBatch([row]);
    return event;
  }

  /** Takes the next request as the platform does: as an event of the log, before it is marked as taken. */
  async take(handle: (command: AnyEvent) => Promise<unknown> = () => Promise.resolve()): Promise<AnyEvent> {
    for (;;) {
      const [request] = await this.requests.pending();
      if (request) {
        const { command, arguments: asked, requestedBy } = request;
        const event = await this.say('operator.command', { command: command as 'halt', arguments: asked, requestedBy });
        await handle(event);
        await this.requests.taken(request.id, event.id);
        return event;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  private async closeRun(): Promise<void> {
    await this.requests.close();
    await this.store.close();
  }

  async stop(): Promise<void> {
    await this.closeRun();
    await this.parts.registry.close();
    await this.parts.server.stop();
    this.parts.lock.release();
  }
}
