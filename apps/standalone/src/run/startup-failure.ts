import { inputId } from '@moon/events';
import type { StartupFailure } from '@moon/infra';
import type { EventStore } from '@moon/kernel';

/** Writes `system.startup_failure` to the end of a run's log (SYS-2). */
export async function recordStartupFailure(store: EventStore, failure: StartupFailure): Promise<void> {
  const at = Date.now();
  const seq = (await store.lastSeq()) + 1;
  const error = failure.message.slice(0, 2_000);
  const id = inputId({
    source: 'standalone',
    kind: 'system.startup_failure',
    instrument: failure.component,
    venueTime: at,
    values: [seq, error],
  });
  await store.appendBatch([
    {
      seq,
      event: {
        ...{
          id,
          type: 'system.startup_failure',
          schemaVersion: 1,
          source: 'standalone',
          key: 'system',
          occurredAt: at,
        },
        ...{ correlationId: id, causationId: null },
        data: { event_type: 'system.startup_failure', component: failure.component, error, timestamp: at },
      },
    },
  ]);
}
