import type { Clock } from '@moon/kernel';
import { WebSocket, type RawData } from 'ws';

export interface SocketOptions {
  url: string;
  clock: Clock;
  /** 0 ≤ random() < 1: spreads reconnections of many clients. */
  random: () => number;
  pingMs: number;
  silenceMs: number;
  connectTimeoutMs: number;
  reconnectMinMs: number;
  reconnectMaxMs: number;
}

export interface SocketListener {
  /** The connection stands; subscriptions have to be made anew. */
  up(): void;
  /** It is gone, or did not come about; the next attempt is made after `retryMs`. */
  down(reason: string, retryMs: number): void;
  text(content: string): void;
  /** A frame that is no text. */
  binary(bytes: number): void;
}

/** Larger messages are not read: a book of 20 levels has 2 kB, a trade history some 10. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const PING = JSON.stringify({ method: 'ping' });

/**
 * One WebSocket that is kept up: heartbeats, a watchdog for silence, and a new connection after every loss, the waits
 * doubling with jitter from `reconnectMinMs` to `reconnectMaxMs`. The doubling starts anew once something was heard.
 */
export class ReconnectingSocket {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private heardAt = 0;
  private wanted = false;
  private readonly timers = new Map<string, () => void>();

  constructor(
    private readonly options: SocketOptions,
    private readonly listener: SocketListener,
  ) {}

  connect(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.attempt = 0;
    this.open();
  }

  /** Lets go without being called back; `connect` may follow. */
  close(): void {
    this.wanted = false;
    for (const cancel of this.timers.values()) cancel();
    this.timers.clear();
    this.drop();
  }

  send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private open(): void {
    const { url, connectTimeoutMs } = this.options;
    const socket = new WebSocket(url, { handshakeTimeout: connectTimeoutMs, maxPayload: MAX_MESSAGE_BYTES });
    this.socket = socket;
    let problem = '';
    socket.on('open', () => this.opened(socket));
    socket.on('message', (data, isBinary) => this.heard(socket, data, isBinary));
    socket.on('error', (error) => (problem = error.message || (error as NodeJS.ErrnoException).code || error.name));
    socket.on('close', (code, reason) => {
      const said = reason.length > 0 ? ` "${reason.toString('utf8').slice(0, 80)}"` : '';
      this.lost(socket, problem === '' ? `connection closed (${code}${said})` : problem);
    });
  }

  private opened(socket: WebSocket): void {
    if (socket !== this.socket) return;
    this.heardAt = this.options.clock.now();
    this.ping();
    this.watch();
    this.listener.up();
  }

  private heard(socket: WebSocket, data: RawData, isBinary: boolean): void {
    if (socket !== this.socket) return;
    this.heardAt = this.options.clock.now();
    this.attempt = 0;
    const bytes = Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
    if (isBinary) this.listener.binary(bytes.length);
    else this.listener.text(bytes.toString('utf8'));
  }

  private lost(socket: WebSocket, reason: string): void {
    if (socket !== this.socket) return;
    this.socket = null;
    this.cancel('ping');
    this.cancel('watch');
    if (!this.wanted) return;
    const { reconnectMinMs, reconnectMaxMs, random } = this.options;
    const ceiling = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** Math.min(this.attempt, 30));
    const retryMs = Math.round(ceiling * (0.5 + 0.5 * random()));
    this.attempt += 1;
    this.later('retry', retryMs, () => this.open());
    this.listener.down(reason, retryMs);
  }

  private ping(): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(PING);
    this.later('ping', this.options.pingMs, () => this.ping());
  }

  /** Gives the connection up when nothing, not even an answer to a heartbeat, has come for too long. */
  private watch(): void {
    const silentMs = this.options.clock.now() - this.heardAt;
    const { silenceMs } = this.options;
    if (silentMs < silenceMs) return this.later('watch', silenceMs - silentMs, () => this.watch());
    const socket = this.socket;
    if (socket === null) return;
    this.lost(socket, `nothing heard for ${silentMs} ms`);
    socket.terminate();
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    socket?.terminate();
  }

  private later(name: string, delayMs: number, callback: () => void): void {
    this.cancel(name);
    const cancel = this.options.clock.at(this.options.clock.now() + delayMs, () => {
      this.timers.delete(name);
      callback();
    });
    this.timers.set(name, cancel);
  }

  private cancel(name: string): void {
    this.timers.get(name)?.();
    this.timers.delete(name);
  }
}
