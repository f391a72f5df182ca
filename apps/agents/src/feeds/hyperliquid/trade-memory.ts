import type { VenueTrade } from './parse';

interface CoinMemory {
  /** Time of the newest trade, ms. */
  newestAt: number;
  /** `time:tid` of recent trades. */
  seen: Map<string, number>;
}

/** A trade older than this before its coin's newest is not news any more: it may have been said and forgotten. */
const REMEMBERED_MS = 600_000;
const PRUNE_AT = 4_000;

/** Tells new trades from those that came before: after each reconnection and gap-fill the venue repeats some. */
export class TradeMemory {
  private readonly coins = new Map<string, CoinMemory>();

  /** True the first time that a trade is given. */
  take({ coin, time, tid }: VenueTrade): boolean {
    const memory = this.coins.get(coin) ?? { newestAt: 0, seen: new Map<string, number>() };
    this.coins.set(coin, memory);
    const key = `${time}:${tid}`;
    if (memory.seen.has(key) || time < memory.newestAt - REMEMBERED_MS) return false;
    memory.seen.set(key, time);
    memory.newestAt = Math.max(memory.newestAt, time);
    if (memory.seen.size > PRUNE_AT) prune(memory);
    return true;
  }

  /** Time of the coin's newest trade, ms; null before the first. */
  newestAt(coin: string): number | null {
    return this.coins.get(coin)?.newestAt ?? null;
  }
}

function prune(memory: CoinMemory): void {
  for (const [key, time] of memory.seen) if (time < memory.newestAt - REMEMBERED_MS) memory.seen.delete(key);
}
