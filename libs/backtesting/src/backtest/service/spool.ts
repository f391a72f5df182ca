import { closeSync, openSync, writeSync } from 'node:fs';
import type { LogRow } from '@moon/kernel';
import type { Archive } from '../run-backtest';

export interface SpoolRequest {
  path: string;
  /** `emitted` = what the run emitted, with the inputs that brought it about; `all` = every event. */
  what: 'emitted' | 'all';
}

/** Text that is gathered before it is written, UTF-16 units. */
const WRITTEN_AT_ONCE = 262_144;
const FEED = 'feed/';

/**
 * Keeps a run's events in a file while it goes on, a JSON line each, so that the store is needed only afterwards, and
 * only for as long as it takes to bring them in.
 *
 * Most inputs bring nothing about. With `emitted` an input is written when something follows it before the next one, and the
 * positions of what is written are counted anew, without gaps; inputs that are left out are known by their fingerprint.
 */
export class EventSpool implements Archive {
  /** Events that were written. */
  count = 0;
  /** What ended the writing, e.g. a full disk: the run goes on, and what was written is no archive of it. */
  failure: Error | null = null;
  private readonly file: number;
  private pending: LogRow | null = null;
  private text = '';

  /** @throws Error with the system's code when the file cannot be made */
  constructor(private readonly request: SpoolRequest) {
    this.file = openSync(request.path, 'w');
  }

  append(row: LogRow): void {
    if (this.failure) return;
    const isInput = row.event.source.startsWith(FEED);
    if (isInput && this.request.what === 'emitted') {
      this.pending = row;
      return;
    }
    if (this.pending) this.write(this.pending);
    this.pending = null;
    this.write(row);
  }

  close(): void {
    this.flush();
    closeSync(this.file);
  }

  private write({ event, streamId, version }: LogRow): void {
    this.count += 1;
    const { id, type, schemaVersion, source, key, occurredAt, correlationId, causationId, data, headers } = event;
    const plain = { id, type, schemaVersion, source, key, occurredAt, correlationId, causationId, data, headers };
    this.text += `${JSON.stringify({ seq: this.count, streamId, version, event: plain })}\n`;
    if (this.text.length >= WRITTEN_AT_ONCE) this.flush();
  }

  private flush(): void {
    const bytes = Buffer.from(this.text, 'utf8');
    this.text = '';
    try {
      for (let written = 0; written < bytes.length && !this.failure;) written += writeSync(this.file, bytes, written);
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
    }
  }
}
