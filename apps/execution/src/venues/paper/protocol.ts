import type { Socket } from 'node:net';

/**
 * The wire of the paper venue's process: newline-delimited JSON over TCP. A request is {id, method, params}, its answer
 * {id, result} or {id, error}; answers may come in another order than requests.
 */
export interface VenueRequest {
  id: number;
  method: string;
  params: unknown[];
}

export interface WireError {
  /** VenueRefused, VenueUnreachable, or anything else for a defect. */
  name: string;
  code: string;
  message: string;
}

export type Answer = { id: number; result: unknown } | { id: number; error: WireError };

/** Longest frame, bytes. A page of reports stays far below it. */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024;
/** Reports in one answer; the client asks on. */
export const REPORTS_PER_PAGE = 1_000;

/** Writes a frame; the frames of one turn of the event loop leave together. */
export function writeFrame(socket: Socket, frame: VenueRequest | Answer): void {
  if (socket.writableCorked === 0) {
    socket.cork();
    process.nextTick(() => socket.uncork());
  }
  socket.write(`${JSON.stringify(frame)}\n`);
}

/** Cuts a byte stream into lines. */
export class LineSplitter {
  private parts: Buffer[] = [];
  private length = 0;

  /** @throws RangeError when a line is longer than `MAX_FRAME_BYTES` */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      this.add(chunk.subarray(from, end));
      lines.push(Buffer.concat(this.parts).toString('utf8'));
      this.parts = [];
      this.length = 0;
      from = end + 1;
    }
    this.add(chunk.subarray(from));
    return lines;
  }

  private add(part: Buffer): void {
    this.length += part.length;
    if (this.length > MAX_FRAME_BYTES) throw new RangeError(`A frame is longer than ${MAX_FRAME_BYTES} bytes.`);
    if (part.length > 0) this.parts.push(part);
  }
}
