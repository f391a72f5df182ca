/** Header of a raw message that says when its tick came. The platform's own producer header carries the same. */
export const RAW_STAMP = 'stamp';

/** The monotonic clock of this machine: the same for all of its processes. */
export const monotonicNs = (): bigint => process.hrtime.bigint();

/** Phase and moment of a tick's arrival. */
export const stampOf = (phase: string, atNs: bigint): string => `${phase}:${atNs}`;

/** What arrived of one phase. */
export interface PhaseResult {
  /** From the tick's arrival to the handler, ms, in the order of their handling; copies count too. */
  latencies: number[];
  /** Different places on the broker. */
  distinct: number;
}

/** All of a phase, or how much of it there is (cheap enough to ask again and again); `go`: a reader that waits begins. */
export type ReaderQuestion = { ask: 'result' | 'count'; phase: string } | { ask: 'go' };

export interface ReaderAnswer extends PhaseResult {
  /** All that ever arrived, and in which time, from the first to the last. */
  total: number;
  seconds: number;
  /** The last of them, ns of the monotonic clock. */
  lastNs: bigint;
  /** Of its group, that are its own; of the platform's reader. */
  shards: number;
}
