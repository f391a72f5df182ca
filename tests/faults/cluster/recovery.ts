import type { Rig } from './rig';
import { pause } from './root';
import { PrimaryClient } from './store';

const LOOK_MS = 100;
const LOOK_WITHIN_MS = 2_000;
/** A shard without progress for so long stands still. */
const STALL_MS = 1_000;
/** So long every shard must go on without standing still before a fault is over. */
const STEADY_MS = 4_000;
/** Where every shard is, and the relay, which has something to do only while rows wait for it. */
const PLACES = `SELECT shard, seq, false AS rests FROM shards
  UNION ALL SELECT 'relay', position, NOT EXISTS (
    SELECT 1 FROM stream_events AS row WHERE (row.tx, row.position) > (cursor.tx, cursor.position)
  ) FROM relay_cursors AS cursor`;
const GIVE_UP_MS = 180_000;
const GIVE_UP_HUNG_MS = 20_000;

/**
 * Looks ten times a second how far every shard and the relay, on whom approvals wait, have got: how long after a blow the
 * last of them went on is the recovery.
 */
export class RecoveryWatch {
  private readonly tracks = new Map<string, { seq: number; movedAt: number }>();
  private readonly store: PrimaryClient;
  /** Moments of the fault from which a recovery counts: its blows, and the end of what was to last. */
  private readonly blows: number[] = [];
  private recoveryMs = 0;
  private steadySince = 0;
  /** When the store was last heard of: while it hangs, nobody knows who stands still. */
  private lookedAt = 0;
  /** When the cache was last not what it should be; 0 without one. */
  private cacheAwayAt = 0;
  private isOver = false;
  private running: Promise<void> = Promise.resolve();
  private readonly stallMs: number;

  constructor(private readonly rig: Rig) {
    this.store = new PrimaryClient(rig.addresses, { queryMs: LOOK_WITHIN_MS });
    this.stallMs = STALL_MS * (rig.options.patience ?? 1);
  }

  /** Takes note of where every shard is, just before the fault. */
  async begin(): Promise<void> {
    await this.look();
    this.blow();
    this.running = this.watch();
  }

  /** A recovery from what happens now counts from now. @param isOutage nothing could go on before: it was to be an outage */
  blow(isOutage = false): void {
    const now = Date.now();
    this.blows.push(now);
    this.steadySince = now;
    if (isOutage || this.blows.length === 1) for (const track of this.tracks.values()) track.movedAt = now;
  }

  /**
   * Waits until every shard goes on for good.
   *
   * @param isHung something did not come back within its time: it is not waited for much longer
   * @returns from a blow to the moment when the last shard that stood still went on, ms, the longest of them; 0 when none
   * stood still, null when one never went on
   */
  async end(isHung = false): Promise<number | null> {
    const giveUpAt = Date.now() + (isHung ? GIVE_UP_HUNG_MS : GIVE_UP_MS) * (this.rig.options.patience ?? 1);
    let isWell = false;
    while (!isWell && Date.now() < giveUpAt) {
      await pause(LOOK_MS);
      const now = Date.now();
      if (now - this.steadySince < STEADY_MS || now - this.lookedAt > this.stallMs) continue;
      isWell = [...(await this.rig.statuses()).values()].every((status) => status?.state === 'READY');
    }
    this.isOver = true;
    await this.running;
    await this.store.close();
    // Readers' cache: back when who fills it says that everything is in it again, twice a second at most.
    const cacheMs = this.cacheAwayAt === 0 ? 0 : this.cacheAwayAt - this.blowOf(this.cacheAwayAt);
    return isWell ? Math.max(this.recoveryMs, cacheMs) : null;
  }

  private async watch(): Promise<void> {
    for (; !this.isOver; await pause(LOOK_MS)) {
      const isSeen = await this.look();
      const now = Date.now();
      const stands = [...this.tracks.values()].some(({ movedAt }) => now - movedAt > this.stallMs);
      if (this.rig.options.cached && !(await this.isCacheWell())) this.cacheAwayAt = this.steadySince = now;
      if (!isSeen || stands) this.steadySince = now;
    }
  }

  private async isCacheWell(): Promise<boolean> {
    const parts = [...(await this.rig.statuses()).values()].flatMap((status) => Object.values(status?.parts ?? {}));
    return parts.some(({ works, cache }) => works === true && cache === 'up');
  }

  private async look(): Promise<boolean> {
    const rows = await this.store.rows<{ shard: string; seq: string; rests: boolean }>(PLACES);
    if (rows === null) return false;
    const now = Date.now();
    this.lookedAt = now;
    for (const { shard, seq, rests } of rows) {
      if (!isAlwaysBusy(shard)) continue;
      const track = this.tracks.get(shard) ?? { seq: Number(seq), movedAt: now };
      this.tracks.set(shard, track);
      if (track.seq === Number(seq)) {
        if (rests) track.movedAt = now;
        continue;
      }
      if (now - track.movedAt > this.stallMs)
        this.recoveryMs = Math.max(this.recoveryMs, now - this.blowOf(track.movedAt));
      track.seq = Number(seq);
      track.movedAt = now;
    }
    return true;
  }

  /** The blow that a shard stood still after. */
  private blowOf(movedAt: number): number {
    return this.blows.findLast((at) => at <= movedAt + this.stallMs) ?? this.blows[0] ?? movedAt;
  }
}

/** Shards that have something to do all the time, since they hear prices; and the relay, which says when it rests. */
const isAlwaysBusy = (shard: string): boolean => /^((normalisers|execution)#|relay$)/.test(shard);
