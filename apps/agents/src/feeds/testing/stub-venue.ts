import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';

type InfoAnswer = (request: Record<string, unknown>) => unknown;

/** A local server that speaks as HyperLiquid's public side does, and can be told to misbehave. */
export class StubVenue {
  /** Answers to POST /info by type; a type without one gets status 422, as from the venue. */
  readonly answers: Record<string, InfoAnswer> = {};
  /** Every POST /info that came in. */
  readonly asked: Record<string, unknown>[] = [];
  /** Every text frame that came in, over all connections. */
  readonly heard: Record<string, unknown>[] = [];
  connections = 0;
  /** No answer to heartbeats and subscriptions. */
  isMute = false;
  /** Connections are turned away. */
  isClosed = false;
  /** Sent to each new subscription after its confirmation. */
  snapshot: (subscription: { type: string; coin: string }) => string | null = () => null;
  private readonly sockets = new Set<WebSocket>();
  private readonly streams = new Map<WebSocket, Duplex>();

  private constructor(
    private readonly http: Server,
    private readonly wss: WebSocketServer,
  ) {}

  static async open(port = 0): Promise<StubVenue> {
    const http = createServer();
    const wss = new WebSocketServer({ noServer: true });
    const stub = new StubVenue(http, wss);
    http.on('request', (request, response) => void stub.answer(request, response));
    http.on('upgrade', (request, stream, head) => {
      if (stub.isClosed) return void stream.destroy();
      wss.handleUpgrade(request, stream, head, (socket) => stub.accept(socket, stream));
    });
    http.listen(port, '127.0.0.1');
    await once(http, 'listening');
    return stub;
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  get urls(): { restUrl: string; wsUrl: string } {
    return { restUrl: `http://127.0.0.1:${this.port}`, wsUrl: `ws://127.0.0.1:${this.port}/ws` };
  }

  /** Sends a text frame to everybody and waits until it has been heard. */
  async send(content: string | object): Promise<void> {
    const frame = typeof content === 'string' ? content : JSON.stringify(content);
    for (const socket of this.sockets) socket.send(frame);
    await this.settled();
  }

  async sendBinary(bytes: Buffer): Promise<void> {
    for (const socket of this.sockets) socket.send(bytes, { binary: true });
    await this.settled();
  }

  /** Every client answers a protocol ping only after it has read all that came before. */
  private async settled(): Promise<void> {
    await Promise.all([...this.sockets].map((socket) => answered(socket)));
  }

  /** Cuts every connection in the middle of a frame: a header that promises 100 bytes, and ten of them. */
  dropMidFrame(): void {
    for (const stream of this.streams.values()) {
      stream.write(Buffer.concat([Buffer.from([0x81, 100]), Buffer.from('{"channel"')]));
      stream.end();
    }
  }

  /** Sends bytes that are no WebSocket frame (a reserved opcode). */
  sendGarbage(): void {
    for (const stream of this.streams.values()) stream.write(Buffer.from([0x8f, 0xff, 0x00, 0x13, 0x37]));
  }

  dropAll(): void {
    for (const socket of this.sockets) socket.terminate();
  }

  async close(): Promise<void> {
    this.dropAll();
    this.wss.close();
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, 'close');
  }

  private accept(socket: WebSocket, stream: Duplex): void {
    this.connections += 1;
    this.sockets.add(socket);
    this.streams.set(socket, stream);
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      this.sockets.delete(socket);
      this.streams.delete(socket);
    });
    socket.on('message', (data: Buffer) =>
      this.react(socket, JSON.parse(data.toString('utf8')) as Record<string, unknown>),
    );
    if (!this.isMute) socket.send('Websocket connection established.');
  }

  private react(socket: WebSocket, message: Record<string, unknown>): void {
    this.heard.push(message);
    if (this.isMute) return;
    if (message.method === 'ping') socket.send('{"channel":"pong"}');
    if (message.method !== 'subscribe') return;
    const subscription = message.subscription as { type: string; coin: string };
    // The venue echoes more keys than were sent.
    const data = { method: 'subscribe', subscription: { ...subscription, nSigFigs: null } };
    socket.send(JSON.stringify({ channel: 'subscriptionResponse', data }));
    const first = this.snapshot(subscription);
    if (first !== null) socket.send(first);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
    this.asked.push(body);
    const answer = this.answers[String(body.type)];
    if (request.method !== 'POST' || request.url !== '/info' || answer === undefined) {
      response.writeHead(422, { 'content-type': 'text/plain' });
      response.end('Failed to deserialize the JSON body into the target type');
      return;
    }
    const content: unknown = await answer(body);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(typeof content === 'string' ? content : JSON.stringify(content));
  }
}

/** Resolves with the answer to a protocol ping, or the end of the connection. */
function answered(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('pong', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('pong', done);
    socket.on('close', done);
    socket.ping();
  });
}

/** Waits until something holds; fails after fifteen seconds with what was waited for. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 15_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`Waited in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
