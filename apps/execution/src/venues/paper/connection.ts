import { connect, type Socket } from 'node:net';
import { VenueRefused, VenueTimeout, VenueUnreachable } from '@moon/kernel';
import { LineSplitter, writeFrame, type Answer, type WireError } from './protocol';

export interface ConnectionOptions {
  host: string;
  port: number;
  /** Longest wait for a connection, wall ms. */
  connectTimeoutMs: number;
  /** Longest wait for an answer, wall ms. */
  requestTimeoutMs: number;
}

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

/** The connection broke while an answer was awaited: the request may have been handled. */
export class ConnectionLost extends VenueTimeout {}

/** One socket at a time to the venue's process, opened when it is needed; requests are told apart by their ids. */
export class Connection {
  private socket: Promise<Socket> | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;

  constructor(private readonly options: ConnectionOptions) {}

  /**
   * Sends a request and waits for its answer.
   *
   * @throws VenueUnreachable when it was certainly not sent; VenueTimeout (ConnectionLost when the connection broke) when it may have been handled; VenueRefused
   */
  async call(method: string, params: unknown[]): Promise<unknown> {
    const socket = await this.connected();
    if (socket.destroyed) throw new VenueUnreachable(`The venue at ${this.place} hung up before ${method} was sent.`);
    this.lastId += 1;
    const id = this.lastId;
    return new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(
          new VenueTimeout(
            `The venue at ${this.place} did not answer ${method} within ${this.options.requestTimeoutMs} ms.`,
          ),
        );
      }, this.options.requestTimeoutMs);
      this.waiting.set(id, { resolve, reject, timer });
      writeFrame(socket, { id, method, params });
    });
  }

  async close(): Promise<void> {
    const opening = this.socket;
    this.socket = null;
    this.failAll(new ConnectionLost('The connection was closed on this side.'));
    if (!opening) return;
    try {
      (await opening).destroy();
    } catch (error) {
      // A connection that never came about needs no closing.
      if (!(error instanceof VenueUnreachable)) throw error;
    }
  }

  private get place(): string {
    return `${this.options.host}:${this.options.port}`;
  }

  private connected(): Promise<Socket> {
    this.socket ??= this.open().catch((error: unknown) => {
      this.socket = null;
      throw error;
    });
    return this.socket;
  }

  private open(): Promise<Socket> {
    const { host, port, connectTimeoutMs } = this.options;
    return new Promise<Socket>((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      const fail = (why: string) => {
        socket.destroy();
        reject(new VenueUnreachable(`The venue at ${this.place} cannot be reached: ${why}. Is its process running?`));
      };
      const timer = setTimeout(() => fail(`no connection within ${connectTimeoutMs} ms`), connectTimeoutMs);
      socket.once('error', (error) => fail(error.message));
      socket.once('connect', () => {
        clearTimeout(timer);
        this.use(socket);
        resolve(socket);
      });
      socket.once('close', () => clearTimeout(timer));
    });
  }

  private use(socket: Socket): void {
    const splitter = new LineSplitter();
    let why = 'it hung up';
    socket.on('error', (error) => (why = error.message));
    socket.on('close', () => {
      this.socket = null;
      this.failAll(
        new ConnectionLost(`The connection to the venue at ${this.place} was lost before it answered: ${why}.`),
      );
    });
    socket.on('data', (chunk) => {
      try {
        for (const line of splitter.push(chunk)) this.take(JSON.parse(line) as Answer);
      } catch (error) {
        socket.destroy(new Error(`it sent what is no answer (${(error as Error).message})`));
      }
    });
  }

  private take(answer: Answer): void {
    const waiting = this.waiting.get(answer.id);
    // The answer to a request that was given up comes too late to mean anything.
    if (!waiting) return;
    this.waiting.delete(answer.id);
    clearTimeout(waiting.timer);
    if ('error' in answer) waiting.reject(errorOf(answer.error));
    else waiting.resolve(answer.result);
  }

  private failAll(error: ConnectionLost): void {
    for (const waiting of this.waiting.values()) {
      clearTimeout(waiting.timer);
      waiting.reject(error);
    }
    this.waiting.clear();
  }
}

function errorOf({ name, code, message }: WireError): Error {
  if (name === 'VenueRefused') return new VenueRefused(code, message);
  if (name === 'VenueUnreachable') return new VenueUnreachable(message);
  return new Error(`The venue failed: ${message}`);
}
