import { Client } from 'pg';
import type { Login } from './access';

/** Messages that wait to be used before the server is made to wait, and those at which it may go on. */
const HIGH_WATER = 16_384;
const LOW_WATER = 4_096;

/** As much of pg's connection as a query of our own needs. */
interface Connection {
  query(text: string): void;
  stream: { pause(): void; resume(): void; destroy(): void };
}

/** What pg calls a query while it runs: its own, or one like this, which takes the messages of COPY as they are. */
interface Submittable {
  submit(connection: Connection): void;
  handleCopyData(message: { chunk: Buffer }): void;
  handleReadyForQuery(): void;
  handleError(error: Error): void;
}

/**
 * The rows of one query as COPY gives them, on a connection of its own: the cheapest way out of PostgreSQL. What is not used
 * yet is bounded: the server waits. The server sends one message a row; the first one has the header before it, and the
 * last one is the trailer.
 */
export class CopyRows {
  private messages: Buffer[] = [];
  private connection: Connection | null = null;
  private isPaused = false;
  private isOver = false;
  private isClosed = false;
  private error: Error | null = null;
  private wake: (() => void) | null = null;

  private constructor(private readonly client: Client) {}

  static async connect(login: Login, database: string): Promise<CopyRows> {
    const client = new Client({ ...login, database, connectionTimeoutMillis: 10_000 });
    const rows = new CopyRows(client);
    client.on('error', (error) => rows.end(error));
    await client.connect();
    return rows;
  }

  /** One value of one row, before the copying begins; null when there is no row. */
  async ask(query: string): Promise<string | null> {
    const { rows } = await this.client.query<{ value: unknown }>(query);
    return rows[0] ? String(rows[0].value) : null;
  }

  /** @param query without parameters: COPY takes none */
  start(query: string): void {
    this.client.query(this.submittable(`COPY (${query}) TO STDOUT (FORMAT binary)`) as never);
  }

  /** The messages that have come, at least one; null after the last. */
  async next(): Promise<readonly Buffer[] | null> {
    while (this.messages.length === 0 && !this.isOver) await new Promise<void>((resolve) => (this.wake = resolve));
    if (this.messages.length === 0 && this.error) throw this.error;
    const messages = this.messages;
    this.messages = [];
    if (this.isPaused && messages.length > LOW_WATER) {
      this.isPaused = false;
      this.connection?.stream.resume();
    }
    return messages.length === 0 ? null : messages;
  }

  /** Ends the query, also before its last row. */
  async close(): Promise<void> {
    const wasOver = this.isOver;
    this.isClosed = true;
    this.isOver = true;
    this.messages = [];
    this.notify();
    if (wasOver || !this.connection) await this.client.end();
    else this.connection.stream.destroy();
  }

  private submittable(text: string): Submittable & Record<string, unknown> {
    const nothing = (): void => undefined;
    return {
      submit: (connection) => {
        this.connection = connection;
        connection.query(text);
      },
      handleCopyData: ({ chunk }) => {
        if (this.isClosed) return;
        this.messages.push(chunk);
        if (this.messages.length >= HIGH_WATER && !this.isPaused) {
          this.isPaused = true;
          this.connection?.stream.pause();
        }
        // Whoever waits is woken once for all the messages of one packet.
        this.notify();
      },
      handleReadyForQuery: () => this.end(null),
      handleError: (error) => this.end(error),
      ...{ handleCopyOutResponse: nothing, handleCommandComplete: nothing },
      ...{ handleRowDescription: nothing, handleDataRow: nothing },
    };
  }

  private end(error: Error | null): void {
    // A connection that was left on purpose ends with an error that says so.
    if (!this.isClosed) this.error ??= error;
    this.isOver = true;
    this.notify();
  }

  private notify(): void {
    this.wake?.();
    this.wake = null;
  }
}
