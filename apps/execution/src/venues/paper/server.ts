import { setTimeout as wait } from 'node:timers/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { EventRefused, validateEvent } from '@moon/events';
import {
  VenueError,
  VenueRefused,
  VenueTimeout,
  type AccountSpec,
  type SignedCancel,
  type SignedOrder,
} from '@moon/kernel';
import type { VenueFaults } from './faults';
import type { PaperVenue } from './paper-venue';
import { LineSplitter, REPORTS_PER_PAGE, writeFrame, type Answer, type VenueRequest } from './protocol';

/** Longest wait at the end for answers that are held back, wall ms. */
const CLOSE_WAIT_MS = 2_000;
/** Answers that a client has not read; beyond that it is cut off. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;

type Method = (venue: PaperVenue, params: unknown[]) => unknown;

/** Every method of the port, and `setFaults` for tests. What comes in is checked here or by the engine. */
const METHODS: Record<string, Method> = {
  name: (venue) => venue.name,
  openAccount: (venue, [spec]) => venue.openAccount(spec as AccountSpec) ?? null,
  market: (venue, [event]) => venue.market(validateEvent(event)),
  advanceTo: (venue, [ms]) => venue.advanceTo(wholeNumber(ms, 'ms')),
  nextDueAt: (venue) => venue.nextDueAt(),
  submit: (venue, [order]) => venue.submit(signedOrder(order)),
  cancel: (venue, [request]) => venue.cancel(signed(request) as SignedCancel),
  query: (venue, [portfolio, clientOrderId]) =>
    venue.query(text(portfolio, 'portfolio'), text(clientOrderId, 'clientOrderId')),
  reportsSince: (venue, [portfolio, venueSeq]) =>
    venue.reportsSince(text(portfolio, 'portfolio'), wholeNumber(venueSeq, 'venueSeq')).slice(0, REPORTS_PER_PAGE),
  marketCauses: (venue, [portfolio, venueSeq]) =>
    venue.marketCauses(text(portfolio, 'portfolio'), wholeNumber(venueSeq, 'venueSeq')),
  books: (venue, [portfolio]) => venue.books(text(portfolio, 'portfolio')),
  setFaults: (venue, [faults]) => venue.setFaults(faults as Partial<VenueFaults>) ?? null,
};

export interface PaperVenueServerOptions {
  venue: PaperVenue;
  /** What went wrong, for the log. */
  notice: (text: string) => void;
}

/** Serves a paper venue on 127.0.0.1. It knows no platform: whoever connects may come and go, the books stay. */
export class PaperVenueServer {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly unanswered = new Set<Promise<void>>();

  constructor(private readonly options: PaperVenueServerOptions) {
    this.server = createServer({ noDelay: true }, (socket) => this.serve(socket));
  }

  /** @param port 0 = any free one. @param host address to listen on. @returns the port */
  async listen(port: number, host = '127.0.0.1'): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, resolve);
    });
    return (this.server.address() as AddressInfo).port;
  }

  /** Takes no more, answers what it has taken (for at most two seconds), and closes the venue. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.sockets) socket.pause();
    await Promise.race([Promise.all(this.unanswered), wait(CLOSE_WAIT_MS, undefined, { ref: false })]);
    for (const socket of this.sockets) socket.destroySoon();
    await closed;
    this.options.venue.close();
  }

  private serve(socket: Socket): void {
    const splitter = new LineSplitter();
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', (error) => this.options.notice(`A connection broke: ${error.message}`));
    socket.on('data', (chunk) => {
      try {
        for (const line of splitter.push(chunk)) this.track(this.handle(socket, line));
      } catch (error) {
        this.refuse(socket, 0, error);
        socket.end();
      }
    });
  }

  private track(handling: Promise<void>): void {
    this.unanswered.add(handling);
    void handling.finally(() => this.unanswered.delete(handling));
  }

  /** Frames are handled in the order of their arrival; only an answer may wait. */
  private async handle(socket: Socket, line: string): Promise<void> {
    let id = 0;
    try {
      const request = parseRequest(line);
      id = request.id;
      const method = Object.hasOwn(METHODS, request.method) ? METHODS[request.method] : undefined;
      if (!method) throw new VenueRefused('malformed', `There is no method "${request.method.slice(0, 80)}".`);
      const result: unknown = method(this.options.venue, request.params);
      this.write(socket, { id, result: result instanceof Promise ? ((await result) as unknown) : result });
    } catch (error) {
      // What is to look like a time-out to the client gets no answer.
      if (error instanceof VenueTimeout) return;
      this.refuse(socket, id, error);
    }
  }

  private refuse(socket: Socket, id: number, error: unknown): void {
    const known = error instanceof VenueError || error instanceof RangeError || error instanceof EventRefused;
    const { name, message } = error as Error;
    if (!known) this.options.notice(`A request failed: ${(error as Error).stack ?? String(error)}`);
    const code = error instanceof VenueError ? error.code : known ? 'malformed' : 'defect';
    this.write(socket, {
      id,
      error: { name: known && !(error instanceof VenueError) ? 'VenueRefused' : name, code, message },
    });
  }

  private write(socket: Socket, answer: Answer): void {
    if (socket.destroyed || socket.writableEnded) return;
    writeFrame(socket, answer);
    if (socket.writableLength <= MAX_UNREAD_BYTES) return;
    this.options.notice('A client reads no answers; it was cut off.');
    socket.destroy();
  }
}

function parseRequest(line: string): VenueRequest {
  let request: unknown;
  try {
    request = JSON.parse(line);
  } catch (error) {
    throw new VenueRefused('malformed', `A frame is no JSON: ${(error as Error).message}`);
  }
  const { id, method, params } = (request ?? {}) as Partial<VenueRequest>;
  if (typeof id !== 'number' || typeof method !== 'string' || !Array.isArray(params)) {
    throw new VenueRefused('malformed', 'A frame is {"id": number, "method": text, "params": [...]}.');
  }
  return { id, method, params };
}

/** The shape around the signed payload; the payload itself is the engine's to check. */
function signed(request: unknown): object {
  const { portfolio, clientOrderId, nonce, expiresAt, payload, signature } = (request ?? {}) as Record<string, unknown>;
  for (const [name, value] of Object.entries({ portfolio, clientOrderId, payload, signature })) text(value, name);
  wholeNumber(nonce, 'nonce');
  wholeNumber(expiresAt, 'expiresAt');
  return request as object;
}

function signedOrder(order: unknown): SignedOrder {
  const checked = signed(order) as SignedOrder;
  text(checked.orderId, 'orderId');
  return checked;
}

function text(value: unknown, name: string): string {
  if (typeof value !== 'string' || value.length === 0 || value.length > 8_000) {
    throw new VenueRefused('malformed', `${name} must be a text of 1 to 8,000 characters.`);
  }
  return value;
}

function wholeNumber(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new VenueRefused('malformed', `${name} must be a whole number of at least 0.`);
  }
  return value;
}
