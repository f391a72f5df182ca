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
  private readonly open = new Map<string, OpenRequest>();
  private readonly performers = new Map<string, EffectAdapter[]>();
  private readonly settlers = new Map<string, EffectAdapter[]>();

  constructor(private readonly adapters: readonly EffectAdapter[]) {
    for (const adapter of adapters) {
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
    if (settlers !== undefined && this.open.size > 0) {
      for (const adapter of settlers) {
        const settled = adapter.settles(event);
        if (settled !== null) this.open.delete(slot(adapter.name, settled));
      }
    }
    const performers = this.performers.get(event.type);
    if (!performers) return NONE;
    return performers.map((adapter) => {
      const request = { adapter: adapter.name, key: adapter.requestKey(event), request: event, seq };
      this.open.set(slot(adapter.name, request.key), request);
      return request;
    });
  }

  adapter(name: string): EffectAdapter {
    const adapter = this.adapters.find((candidate) => candidate.name === name);
    if (!adapter) throw new Error(`No adapter is named "${name}".`);
    return adapter;
  }

  /** Forgets a request that will never have a result. */
  close({ adapter, key }: Pick<OpenRequest, 'adapter' | 'key'>): void {
    this.open.delete(slot(adapter, key));
  }

  /** Open requests in the order in which they were made. */
  unsettled(): OpenRequest[] {
    return [...this.open.values()].sort((a, b) => a.seq - b.seq);
  }

  restore(requests: readonly OpenRequest[]): void {
    this.open.clear();
    for (const request of requests) this.open.set(slot(request.adapter, request.key), request);
  }
}

const NONE: readonly OpenRequest[] = [];

function slot(adapter: string, key: string): string {
  return `${adapter}\u0000${key}`;
}
