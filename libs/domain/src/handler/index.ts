export type { JsonObject } from '@moon/events';
export type { Handler, HandlerRole, Outbox } from './handler';
export type { AnyCommand, CancelOrder, ClosePosition, CommandType, LiftHalt, PlaceOrder, RaiseHalt } from './commands';
export { assertPlainState } from './plain-state';
export {
  driveHandler,
  recordOutbox,
  testEvent,
  type Driven,
  type Emitted,
  type RecordedOutbox,
  type Scheduled,
} from './testing';
