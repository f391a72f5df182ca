import type { AnyEvent } from '@moon/events';
import type { EffectAdapter } from '../ports/effect';

/** A request to the outside world that has no result in the log yet. */
export interface OpenRequest {
  adapter: string;
  key: string;
  request: AnyEvent;
  seq: number;
}

/**
 * Knows which requests still wait for their result. It only watches events, so that handling the log again
 * leaves exactly the requests that a crash cut off.
 */
export class EffectTracker {
  /** By adapter, by key. */
  private readonly open = new Map<string, Map<string, OpenRequest>>();
  private readonly performers = new Map<string, EffectAdapter[]>();
  private readonly settlers = new Map<string, EffectAdapter[]>();

  constructor(private readonly adapters: readonly EffectAdapter[]) {
    for (const adapter of adapters) {
      this.open.set(adapter.name, new Map());
      for (const type of adapter.performs) {
        const list = this.performers.get(type) ?? [];
        this.performers.set(type, [...list, adapter]);
      }
      for (const type of adapter.settledBy) {
        const list = this.settlers.get(type) ?? [];
        this.settlers.set(type, [...list, adapter]);
      }
    }
  }

  /** Notes what `event` settles and what it asks for; returns the new requests, in the adapters' order. */
  observe(event: AnyEvent, seq: number): readonly OpenRequest[] {
    const settlers = this.settlers.get(event.type);
    if (settlers !== undefined) {
      for (const adapter of settlers) {
        const open = this.opened(adapter.name);
        if (open.size === 0) continue;
        const settled = adapter.settles(event);
        if (settled !== null) open.delete(settled);
      }
    }
    const performers = this.performers.get(event.type);
    if (performers === undefined) return NONE;
    const requests: OpenRequest[] = [];
    for (const adapter of performers) {
      const request = { adapter: adapter.name, key: adapter.requestKey(event), request: event, seq };
      this.opened(adapter.name).set(request.key, request);
      requests.push(request);
    }
    return requests;
  }

  adapter(name: string): EffectAdapter {
    const adapter = this.adapters.find((candidate) => candidate.name === name);
    if (!adapter) throw new Error(`No adapter is named "${name}".`);
    return adapter;
  }

  /** Forgets a request that will never have a result. */
  close({ adapter, key }: Pick<OpenRequest, 'adapter' | 'key'>): void {
    this.opened(adapter).delete(key);
  }

  /** Open requests in the order in which they were made. */
  unsettled(): OpenRequest[] {
    return [...this.open.values()].flatMap((open) => [...open.values()]).sort((a, b) => a.seq - b.seq);
  }

  restore(requests: readonly OpenRequest[]): void {
    for (const open of this.open.values()) open.clear();
    for (const request of requests) this.opened(request.adapter).set(request.key, request);
  }

  /** The open requests of an adapter; of one that a checkpoint names and this run lacks, too. */
  private opened(adapter: string): Map<string, OpenRequest> {
    let open = this.open.get(adapter);
    if (open === undefined) this.open.set(adapter, (open = new Map()));
    return open;
  }
}

const NONE: readonly OpenRequest[] = [];
