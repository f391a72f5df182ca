import type { VenueConfig } from '../config';

/** Where a resting order stands at its price. Quantities in base units of the book. */
export interface QueuePosition {
  /** What is before it; below zero: so much was traded past it and is its own. −1 with `isKnown` false says nothing. */
  ahead: number;
  /** What was traded at the price since the book last told its size: the book will tell it again. */
  traded: number;
  /** False as long as its price lies beyond what the book shows: then it is filled only by a trade through its price. */
  isKnown: boolean;
}

/** How a resting order comes forward in the queue of its price. */
export interface QueueModel {
  /** A trade of `size` at the order's price. */
  trade(queue: QueuePosition, size: number): void;
  /** The book tells another size at the order's price. */
  depth(queue: QueuePosition, before: number, after: number): void;
}

/** What has been traded past the order; it is taken out of the queue. */
export function pastTheFront(queue: QueuePosition): number {
  if (!queue.isKnown || queue.ahead >= 0) return 0;
  const past = -queue.ahead;
  queue.ahead = 0;
  return past;
}

/**
 * The queue models of hftbacktest (docs, "Order fill": queue models), in float64.
 *
 * `conservative` (there risk-averse): an order comes forward by trades at its price alone; whoever leaves stood behind
 * it. Only where less is left than stood before it has it come forward: ahead = min(ahead, size).
 *
 * `probabilistic` (there the power function): of a decrease that trades do not explain a part stood before it. With
 * f = ahead, b = size before − ahead, p = bⁿ ÷ (bⁿ + fⁿ) as the chance that it stood behind, and c the decrease less
 * what was traded: ahead = min(f − (1 − p)·c + min(b − p·c, 0), size).
 */
export function createQueueModel(config: VenueConfig['book']): QueueModel {
  const trade: QueueModel['trade'] = (queue, size) => {
    queue.ahead -= size;
    queue.traded += size;
  };
  if (config.queue === 'conservative') {
    return {
      trade,
      depth(queue, _before, after) {
        queue.traded = 0;
        queue.ahead = Math.min(queue.ahead, after);
      },
    };
  }
  const { power } = config;
  return {
    trade,
    depth(queue, before, after) {
      const left = before - after - queue.traded;
      queue.traded = 0;
      const front = queue.ahead;
      if (left <= 0 || front <= 0) {
        queue.ahead = Math.min(front, after);
        return;
      }
      const back = Math.max(0, before - front);
      const weight = back ** power;
      const behind = weight / (weight + front ** power);
      const ahead = front - (1 - behind) * left + Math.min(back - behind * left, 0);
      // Whoever leaves makes room; only a trade goes past an order.
      queue.ahead = Math.max(0, Math.min(ahead, after));
    },
  };
}
