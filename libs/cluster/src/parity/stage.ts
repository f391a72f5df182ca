import { NO_SIGNER, NO_VENUE, ParityImpossible } from '@moon/backtesting';
import type { PlatformConfig } from '@moon/domain';
import type { AnyEvent } from '@moon/events';
import { settingsOf } from '../settings-events';
import {
  assemble,
  canonicalHash,
  groupPlans,
  VenueLink,
  VolatileLog,
  type Engine,
  type EngineSnapshot,
  type Handler,
  type HandlerState,
  type LogRow,
} from '@moon/kernel';

export type ConfigActivated = Extract<AnyEvent, { type: 'config.activated' }>;

/** The handlers of a group under some settings; undefined when those know no such group. */
export type HandlersOf = (group: string, platform: PlatformConfig) => readonly Handler[] | undefined;

export const plannedHandlers: HandlersOf = (group, platform) =>
  groupPlans(platform).find(({ name }) => name === group)?.handlers;

/** The group that a shard is a part of: `agent.chart` of `agent.chart#2`. */
export const groupOfShard = (shard: string): string => shard.slice(0, shard.lastIndexOf('#'));

/**
 * A shard's handlers, wired by the same functions as the shard itself, with nothing outside. They are wired again, with
 * their states, where the journal activates other settings: what a restart of the process did (rule 8).
 */
export class ShardStage {
  private engine: Engine;
  private settings: string;

  constructor(
    private readonly shard: string,
    first: ConfigActivated,
    private readonly handlersOf: HandlersOf,
    private readonly onRow: (row: LogRow, isInput: boolean) => void,
  ) {
    this.settings = hashOf(first);
    this.engine = this.wire(first);
  }

  get seq(): number {
    return this.engine.lastSeq;
  }

  /** Handles an input of the journal, and all that follows from it, as the shard did (in lock-step). */
  handle(event: AnyEvent, original: AnyEvent | null): void {
    if (event.type === 'config.activated') this.activate(event);
    if (original) this.engine.provideOriginal(original);
    // The journal names what was handled: whether an id was known before has been decided.
    this.engine.feed(event);
    this.engine.drain();
  }

  private activate(event: ConfigActivated): void {
    if (hashOf(event) === this.settings) return;
    const kept = plain({ engine: this.engine.snapshot(), states: this.engine.host.states() });
    this.settings = hashOf(event);
    this.engine = this.wire(event);
    this.engine.restore(kept.engine as EngineSnapshot);
    this.engine.host.restore((kept.states as HandlerState[]).filter(({ handler }) => this.engine.host.has(handler)));
  }

  private wire({ data, headers }: ConfigActivated): Engine {
    try {
      const { platform, emitted } = settingsOf(data.values);
      const handlers = this.handlersOf(groupOfShard(this.shard), platform);
      if (!handlers) throw new Error(`this code knows no group ${groupOfShard(this.shard)}`);
      return assemble({
        ...{ config: platform, handlers, headers, shard: this.shard, isLockstep: true },
        settle: emitted.settle,
        link: new VenueLink(NO_VENUE, headers, true),
        log: new VolatileLog(this.onRow),
        ...NO_SIGNER,
        // Nothing is performed, so how long it would take does not matter.
        ...{ modelLatency: { minMs: 0, maxMs: 0 }, orderTimeToLiveMs: 0, venueRetryMs: 0, onRequest: () => undefined },
      });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new ParityImpossible(
        `The settings of shard ${this.shard} (code ${data.codeVersion}) cannot be wired by this code: ${why}.`,
        { cause: error },
      );
    }
  }
}

const hashOf = ({ data }: ConfigActivated): string => canonicalHash(data.values);

/** A copy as it comes back from a checkpoint. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
