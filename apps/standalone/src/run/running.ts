import type { LiveRun, RecordedRun } from '@moon/kernel';

/** The run of a session, and which kind it is. */
export type Running = { mode: 'recorded'; run: RecordedRun } | { mode: 'live' | 'synthetic'; run: LiveRun };
