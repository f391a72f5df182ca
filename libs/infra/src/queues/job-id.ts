import type { JsonObject } from '@moon/events';
import { canonicalHash } from '@moon/kernel';

/** The long jobs of the platform, each with a queue of its own. */
export const QUEUES = ['backtests', 'reports', 'notifications'] as const;
export type QueueName = (typeof QUEUES)[number];

/** Digits of the content's hash in a job's id. */
const DIGITS = 32;

/** The same wish is the same job, whoever has it and however often. */
export const jobIdOf = (queue: QueueName, payload: JsonObject): string =>
  `${queue}-${canonicalHash({ queue, payload }).slice(0, DIGITS)}`;
