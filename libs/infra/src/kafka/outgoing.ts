import { refusalOf, type KafkaRecord } from './record';

/** Records of one request, oldest first: the head of the queue. */
export interface OutgoingBatch {
  records: readonly KafkaRecord[];
}

interface Call {
  open: number;
  failure: Error | null;
  resolve: () => void;
  reject: (error: Error) => void;
}

interface Entry {
  record: KafkaRecord;
  bytes: number;
  at: number;
  call: Call;
}

/** Room for lengths, the offset and timestamp of a record, and its share of the batch's frame. */
const OVERHEAD_BYTES = 80;
const HEADER_OVERHEAD_BYTES = 10;
const MOST_RECORDS = 5000;
const MOST_REQUEST_BYTES = 8_000_000;

/**
 * What is not acknowledged yet, in the order of the calls, and which call waits for what. A request takes the head; it never
 * holds more of one topic than the topic accepts for one partition, so it fits whatever the keys.
 */
export class Outgoing {
  private entries: Entry[] = [];
  private total = 0;
  private current: OutgoingBatch | null = null;
  /** Lowered for one batch when the broker accepts less than configured. */
  private most = MOST_RECORDS;

  constructor(private readonly maxMessageBytes: number) {}

  get size(): number {
    return this.entries.length;
  }

  get bytes(): number {
    return this.total;
  }

  /** Monotonic time at which the oldest entry came. */
  get oldestAt(): number | null {
    return this.entries[0]?.at ?? null;
  }

  /** @throws PublishRefused one is too large; then none is taken */
  add(records: readonly KafkaRecord[]): Promise<void> {
    const at = performance.now();
    const sizes = records.map((record) => this.sizeOf(record));
    return new Promise<void>((resolve, reject) => {
      const call: Call = { open: records.length, failure: null, resolve, reject };
      for (const [index, record] of records.entries()) {
        this.entries.push({ record, bytes: sizes[index]!, at, call });
        this.total += sizes[index]!;
      }
    });
  }

  /** The head of the queue, as much as one request may hold. */
  next(): OutgoingBatch {
    const bytesOf = new Map<string, number>();
    let [count, bytes] = [0, 0];
    for (const { record, bytes: size } of this.entries) {
      const ofTopic = (bytesOf.get(record.topic) ?? 0) + size;
      if (count > 0 && (count >= this.most || bytes + size > MOST_REQUEST_BYTES || ofTopic > this.maxMessageBytes))
        break;
      bytesOf.set(record.topic, ofTopic);
      count += 1;
      bytes += size;
    }
    this.current = { records: this.entries.slice(0, count).map(({ record }) => record) };
    return this.current;
  }

  /** False when the batch was given up or refused meanwhile. */
  holds(batch: OutgoingBatch): boolean {
    return this.current === batch;
  }

  acknowledge(batch: OutgoingBatch): void {
    if (!this.holds(batch)) return;
    this.current = null;
    this.most = MOST_RECORDS;
    for (const entry of this.remove(batch.records.length)) this.settle(entry, null);
  }

  /** The broker found the batch too large: half of it next time; a single record is refused. */
  shrink(batch: OutgoingBatch, refusal: (record: KafkaRecord) => Error): void {
    if (!this.holds(batch)) return;
    this.current = null;
    if (batch.records.length > 1) {
      this.most = Math.floor(batch.records.length / 2);
      return;
    }
    for (const entry of this.remove(1)) this.settle(entry, refusal(entry.record));
  }

  /** Rejects what matches; the rest keeps its order. */
  refuse(matches: (record: KafkaRecord) => boolean, refusal: (record: KafkaRecord) => Error): void {
    this.current = null;
    const refused = this.entries.filter(({ record }) => matches(record));
    this.entries = this.entries.filter(({ record }) => !matches(record));
    for (const entry of refused) {
      this.total -= entry.bytes;
      this.settle(entry, refusal(entry.record));
    }
  }

  rejectAll(error: (count: number) => Error): void {
    const failure = error(this.size);
    this.refuse(
      () => true,
      () => failure,
    );
  }

  private remove(count: number): Entry[] {
    const removed = this.entries.splice(0, count);
    for (const { bytes } of removed) this.total -= bytes;
    return removed;
  }

  private settle({ call }: Entry, failure: Error | null): void {
    call.failure ??= failure;
    call.open -= 1;
    if (call.open > 0) return;
    if (call.failure === null) call.resolve();
    else call.reject(call.failure);
  }

  private sizeOf(record: KafkaRecord): number {
    const { key, value, headers } = record;
    let size = OVERHEAD_BYTES + (key === null ? 0 : Buffer.byteLength(key)) + Buffer.byteLength(value);
    for (const name in headers) size += HEADER_OVERHEAD_BYTES + name.length + Buffer.byteLength(headers[name]!);
    if (size <= this.maxMessageBytes) return size;
    throw refusalOf(
      record,
      `it has ${size} bytes, and at most ${this.maxMessageBytes} are taken (kafka.maxMessageBytes)`,
    );
  }
}
