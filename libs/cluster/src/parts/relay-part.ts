import type { AnyEvent } from '@moon/events';
import { sample, StreamRelay } from '@moon/infra';
import { STREAM_VERSION, type LogRow } from '@moon/kernel';
import type { Part, PartContext } from '../process';

/** Publishes what was appended to streams, in commit order; one instance of a deployment is at work at a time. */
export function relayPart({ connections }: PartContext): Part {
  const { access, config, publisher, logger, owner } = connections;
  const relay = new StreamRelay(
    access.app,
    config.postgres.database,
    async (rows) => {
      // Consecutive rows of one shard go together; the order of all of them stays.
      const sent: Promise<void>[] = [];
      for (let from = 0, to = 1; from < rows.length; from = to, to += 1) {
        while (to < rows.length && rows[to]?.shard === rows[from]?.shard) to += 1;
        const events = rows.slice(from, to).map(withVersion);
        sent.push(publisher.publish(events, rows[from]?.shard ?? undefined));
      }
      await Promise.all(sent);
    },
    {
      owner,
      onError: (error) => logger.warn({ err: error }, 'the relay failed and tries again'),
      onHeldBack: ({ ms, detail }) => logger.warn({ ms }, detail),
    },
  );
  return {
    name: 'relay',
    start: () => Promise.resolve(relay.start()),
    stop: () => relay.stop(),
    isUp: () => true,
    status: () => relay.status(),
    // Known without the store, which may be what is away.
    metrics: async () => {
      const { isActive, published, heldBackMs } = relay.own();
      const waiting = await relay.status().then(
        (status) => [sample('moon_relay_waiting_events', status.waiting)],
        () => [],
      );
      return [
        sample('moon_relay_active', isActive),
        sample('moon_relay_published_total', published),
        sample('moon_relay_held_back_seconds', heldBackMs / 1_000),
        ...waiting,
      ];
    },
  };
}

function withVersion({ event, version }: LogRow): AnyEvent {
  return { ...event, headers: { ...event.headers, [STREAM_VERSION]: version } } as AnyEvent;
}
