export { CATALOG, defaultKey, EVENT_TYPES, isEventType } from './catalog';
export type { CatalogEntry } from './catalog';
export { fromCloudEvent, toCloudEvent } from './cloud-event';
export type { CloudEventMessage } from './cloud-event';
export { mayEmit } from './emitters';
export { EmittedVersions, READ_VERSIONS, VersionUnknown } from './emitted-versions';
export type { VersionsByType } from './emitted-versions';
export type { EventCategory, EventDefinition, KeyRule, StreamRule } from './define';
export type { AnyEvent, EmitData, EventData, EventEnvelope, EventHeaders, EventType } from './envelope';
export { derivedId, eventId, inputId } from './ids';
export type { InputIdentity } from './ids';
export type { JsonObject, JsonValue } from './json';
export { cutValue, EventRefused } from './refused';
export type { RefusalRule } from './refused';
export type {
  Breach,
  Decision,
  Halt,
  MarginTier,
  PositionView,
  PriceRule,
  Sizing,
  Subscriptions,
  Vote,
} from './shapes';
export { BUSIEST_TOPIC, TOPICS } from './topics';
export type { Topic, TopicName } from './topics';
export { DEFINITIONS, SUPERSEDED } from './types';
export { definitionOf, upcast } from './upcast';
export type { RawEnvelope } from './upcast';
export { withEventType } from './with-type';
export { parseData, parseEvent, validateData, validateEmitted, validateEvent } from './validation/validate';
