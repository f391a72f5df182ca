import { validateEvent, type AnyEvent, type EventData, type EventType } from '@moon/events';
import type { FeedSink } from '@moon/kernel';

export interface RecordingSink extends FeedSink {
  events: AnyEvent[];
  refusals: { reason: string; message: string; sample: string }[];
  /** Set to false: the runtime takes no more. */
  takes: boolean;
  /** Data of one type, in order. */
  of<T extends EventType>(type: T): EventData<T>[];
}

/** A sink that keeps what it is given, each event checked as at any boundary. */
export function recordingSink(): RecordingSink {
  const sink: RecordingSink = {
    events: [],
    refusals: [],
    takes: true,
    submit: (event) => {
      if (!sink.takes) return false;
      sink.events.push(validateEvent(event));
      return true;
    },
    refused: (reason, message, sample) => void sink.refusals.push({ reason, message, sample }),
    of: <T extends EventType>(type: T) =>
      sink.events.filter((event) => event.type === type).map((event) => event.data as EventData<T>),
  };
  return sink;
}
