import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '@moon/events';
import {
  createRoles,
  OperatorInbox,
  RunRegistry,
  startEmbeddedPostgres,
  type EmbeddedServer,
  type PostgresEventStore,
  type RunMode,
} from '@moon/infra';

export interface RunStoreOptions {
  dataDir: string;
  mode: RunMode;
  /** Of recorded runs: what they are known by. */
  fingerprint: string | null;
}

/** The event store of one run on the embedded server, with what belongs to it in the data directory. */
export class RunStore {
  private constructor(
    readonly runId: string,
    readonly resumed: boolean,
    readonly store: PostgresEventStore,
    readonly requests: OperatorInbox,
    private readonly registry: RunRegistry,
    private readonly server: EmbeddedServer,
    /** Folder of the in-process paper venue's books. */
    readonly venueDir: string,
  ) {}

  static async open({ dataDir, mode, fingerprint }: RunStoreOptions): Promise<RunStore> {
    const server = await startEmbeddedPostgres({ dataDir });
    try {
      const access = await createRoles(server);
      const registry = await RunRegistry.open(access);
      const { run, resumed } = await registry.openRun({ mode, ...(fingerprint === null ? {} : { fingerprint }) });
      const venueDir = join(dataDir, 'venue', run.runId);
      // A new log with old books would be a venue that remembers another life.
      if (!resumed) rmSync(venueDir, { recursive: true, force: true });
      const requests = new OperatorInbox(access.app, run.database);
      return new RunStore(run.runId, resumed, registry.openStore(run), requests, registry, server, venueDir);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  get port(): number {
    return this.server.port;
  }

  async finish(result: JsonObject): Promise<void> {
    await this.registry.finishRun(this.runId, result);
  }

  async close(): Promise<void> {
    await this.requests.close();
    await this.store.close();
    await this.registry.close();
    await this.server.stop();
  }
}
