import type { EventData, EventType } from '@moon/events';

/** What a reader wants to know of an event's data, in a few words; types without an entry list their plain fields. */
export type Descriptions = { [T in EventType]?: (data: EventData<T>) => string };
