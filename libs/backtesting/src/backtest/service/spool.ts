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
/** Newest inputs among which the cause of a deadline is looked for: of a market's bars, some days. */
const RECENT_INPUTS = 4_096;

/**
 * Keeps a run's events in a file while it goes on, a JSON line each, so that the store is needed only afterwards, and
 * only for as long as it takes to bring them in.
 *
 * Most inputs bring nothing about. With `emitted` an input is written when something follows it before the next one, or when
 * a deadline that it set falls due; the positions of what is written are counted anew, without gaps. Inputs that are left out
 * are known by their fingerprint.
 */
export class EventSpool implements Archive {
  /** Events that were written. */
  count = 0;
  /** What ended the writing, e.g. a full disk: the run goes on, and what was written is no archive of it. */
  failure: Error | null = null;
  private readonly file: number;
  private pending: LogRow | null = null;
  /** A ring of the newest inputs that were not written. */
  private readonly silent: (LogRow | null)[] = [];
  private inputs = 0;
  private text = '';

  /** @throws Error with the system's code when the file cannot be made */
  constructor(private readonly request: SpoolRequest) {
    this.file = openSync(request.path, 'w');
  }

  append(row: LogRow): void {
    if (this.failure) return;
    if (this.request.what === 'emitted' && row.event.source.startsWith(FEED)) {
      if (this.pending) this.keepSilent(this.pending);
      this.pending = row;
      return;
    }
    if (this.pending) this.write(this.pending);
    this.pending = null;
    const { type, causationId } = row.event;
    if (type === 'deadline.reached' && causationId !== null) this.writeCause(causationId);
    this.write(row);
  }

  private keepSilent(row: LogRow): void {
    this.silent[this.inputs % RECENT_INPUTS] = row;
    this.inputs += 1;
  }

  /** The input that set a deadline, if it was not written yet: as a rule one of the newest. */
  private writeCause(id: string): void {
    for (let back = 1; back <= Math.min(this.inputs, RECENT_INPUTS); back += 1) {
      const place = (this.inputs - back) % RECENT_INPUTS;
      const row = this.silent[place];
      if (row?.event.id !== id) continue;
      this.silent[place] = null;
      this.write(row);
      return;
    }
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
