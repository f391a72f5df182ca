import type { VenueConfig } from '../config';

/** How long things take, in feed time. A draw depends on the seed and the order only, never on what else happens. */
export interface LatencyModel {
  /** From the decision of an order or cancellation to its arrival at the venue, ms: feed delay + way there. */
  toVenueMs(clientOrderId: string): number;
  /** From what happened at the venue to the report at the platform, ms; longer when an earlier report is still on its way. */
  toPlatformMs(clientOrderId: string): number;
}

/**
 * Fixed, or uniform between two bounds. The draw is a hash (FNV-1a, 32 bit, with Murmur3's finaliser) of seed, leg and
 * client order id: repeatable, independent of the order in which orders come, and no state is kept.
 */
export function createLatencyModel(config: VenueConfig['latency'], seed: string): LatencyModel {
  const draw = (leg: 'feed' | 'order' | 'ack', id: string): number => {
    const { minMs, maxMs } = config[leg];
    if (minMs === maxMs) return minMs;
    return minMs + Math.floor((hash32(`${seed}/${leg}/${id}`) / 4_294_967_296) * (maxMs - minMs + 1));
  };
  return {
    toVenueMs: (id) => draw('feed', id) + draw('order', id),
    toPlatformMs: (id) => draw('ack', id),
  };
}

function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return hash >>> 0;
}
