import type { EventData, EventEnvelope, JsonObject, JsonValue } from '@moon/events';

type Changed = EventEnvelope<'state.changed'>;
type Snapshot = EventEnvelope<'state.snapshot'>;
type Delta = EventData<'state.changed'>['delta'];

/** The fields of a portfolio that deltas speak of: those of a snapshot. */
const FIELDS: readonly (keyof EventData<'state.snapshot'>)[] = [
  'portfolio_value',
  'positions',
  'leverage_ratio',
  'daily_pnl',
  'cash',
  'equity',
  'exposure',
  'drawdown',
  'riskScore',
  'halts',
];

/**
 * `portfolio:ID`: the state of a portfolio, made of its `state.changed`, which count themselves from 1. A snapshot says nothing
 * that the deltas up to it have not said; it is what a log begins with whose older deltas retention has dropped (`settle`).
 */
export class PortfolioSeries {
  /** Version of the newest delta that is in it; 0 before the first. */
  version = 0;
  private fields: JsonObject = {};
  private changedAt = 0;
  private readonly ahead = new Map<number, Changed>();
  /** Where the deltas could be begun with, if those before it never come. */
  private base: { snapshot: Snapshot; version: number } | null = null;

  constructor(readonly portfolio: string) {}

  /** True when deltas wait for one that is missing. */
  get hasGap(): boolean {
    return this.ahead.size > 0;
  }

  /** Returns whether what is shown has changed. */
  change(event: Changed): boolean {
    const { version } = event.data;
    if (version <= this.version) return false;
    this.ahead.set(version, event);
    return this.drain();
  }

  /** A snapshot belongs to the delta that has the same cause: it comes with it, whole. */
  seed(snapshot: Snapshot): void {
    if (this.version > 0 || snapshot.causationId === null) return;
    for (const [version, { causationId }] of this.ahead) {
      if (causationId !== snapshot.causationId || version <= (this.base?.version ?? 0)) continue;
      this.base = { snapshot, version };
      for (const older of [...this.ahead.keys()]) if (older < version) this.ahead.delete(older);
      return;
    }
  }

  /** Nothing older will ever come: begins with the newest snapshot. Returns whether there is something to be shown now. */
  settle(): boolean {
    if (this.version > 0 || this.base === null) return false;
    const { snapshot, version } = this.base;
    this.fields = Object.fromEntries(FIELDS.map((field) => [field, snapshot.data[field] as JsonValue]));
    this.version = version;
    this.changedAt = snapshot.data.timestamp;
    this.ahead.delete(version);
    this.base = null;
    this.drain();
    return true;
  }

  show(): JsonObject {
    return { portfolio: this.portfolio, version: this.version, changedAt: this.changedAt, ...this.fields };
  }

  private drain(): boolean {
    let hasMoved = false;
    for (let next = this.ahead.get(this.version + 1); next; next = this.ahead.get(this.version + 1)) {
      const { delta, version, timestamp } = next.data;
      this.ahead.delete(version);
      this.fields = merged(this.fields, delta);
      this.version = version;
      this.changedAt = timestamp;
      hasMoved = true;
    }
    if (hasMoved) this.base = null;
    return hasMoved;
  }
}

/** A new object: what was shown before may still be on its way. */
function merged(fields: JsonObject, delta: Delta): JsonObject {
  const next = { ...fields };
  for (const field of delta.changed_fields) {
    const value = delta[`new_${field}`] as JsonValue;
    next[field] = field === 'positions' ? mergedPositions(fields.positions, value) : value;
  }
  return next;
}

function mergedPositions(before: JsonValue | undefined, changes: JsonValue): JsonObject {
  const positions = { ...((before ?? {}) as JsonObject) };
  for (const [instrument, position] of Object.entries((changes ?? {}) as JsonObject)) {
    if (position === null) delete positions[instrument];
    else positions[instrument] = position;
  }
  return positions;
}
