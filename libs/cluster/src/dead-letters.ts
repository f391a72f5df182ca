import type { RefusedMessage } from '@moon/kernel';

/** Where messages go that are none, so that the position may move on without losing them. */
export interface DeadLetters {
  /** Resolves when it is kept. */
  keep(group: string, message: RefusedMessage): Promise<void>;
}
