import { DEFINITIONS, validateData, type AnyEvent, type EmitData, type EventType } from '@moon/events';
import { driveHandler, testEvent, type Driven } from '../../handler';
import type { ForceCloseConfig } from '../config';
import { createForceCloseSaga } from '../force-close';
import type { ForceCloseState } from '../state';
import { PORTFOLIO, T0 } from './world';

/** The example of a type with other values, `at` ms after T0, for the portfolio of the spec. */
export function happened<T extends EventType>(type: T, at: number, fields: Partial<EmitData<T>> = {}): AnyEvent {
  const { event_type: _, ...example } = DEFINITIONS[type].example as { event_type: string };
  const data = { ...example, portfolio: PORTFOLIO, timestamp: T0 + at, ...fields } as unknown as EmitData<T>;
  validateData(type, { event_type: type, ...data });
  return testEvent(type, T0 + at, data, { key: PORTFOLIO });
}

export const BTC = { token: 'BTC', instrument: 'BTC.X' };
export const ORDER = '00000000-0000-5000-8000-0000000000aa';
export const CLOSE = (attempt: number): string => `00000000-0000-5000-8000-0000000000c${attempt}`;

export const long = (quantity: string, where = BTC): AnyEvent =>
  happened('portfolio.position_opened', 0, { ...where, side: 'long', quantity });
export const critical = (at: number, where = BTC): AnyEvent => happened('risk.critical', at, where);
export const allClear = (at: number, where = BTC): AnyEvent =>
  happened('risk.ok', at, { clears: [{ violation_type: 'liquidation_risk', ...where }] });
export const halted = (at: number): AnyEvent =>
  happened('halt.raised', at, { source: 'force-close', scope: 'portfolio', reason: 'force_close' });
export const lifted = (at: number): AnyEvent =>
  happened('halt.lifted', at, { source: 'force-close', scope: 'portfolio', reason: 'force_close' });
export const resting = (order_id: string): AnyEvent =>
  happened('order.requested', 1, { ...BTC, order_id, side: 'buy', quantity: '0.5' });
export const closing = (at: number, attempt: number, quantity: string): AnyEvent =>
  happened('order.requested', at, {
    ...BTC,
    order_id: CLOSE(attempt),
    side: 'sell',
    quantity,
    reduceOnly: true,
    priority: 'force_close',
    origin: 'force_close',
  });
export const sold = (at: number, order_id: string, quantity: string, sum: string, isAll: boolean): AnyEvent =>
  happened('trade.executed', at, {
    ...BTC,
    order_id,
    fillId: `${order_id}/${sum}`,
    side: 'sell',
    quantity,
    cumulativeQuantity: sum,
    status: isAll ? 'FILLED' : 'PARTIALLY_FILLED',
  });
export const confirmed = (at: number, differences: string[] = []): AnyEvent =>
  happened('portfolio.reconciled', at, { differences });

export interface ForceCloseRun extends Driven<ForceCloseState> {
  reports: EmitData<'trade.force_close'>[];
  stages: EmitData<'trade.force_close'>['stage'][];
}

/** Drives the saga through events, with its deadlines up to `until` ms after T0. */
export function forceClose(
  events: readonly AnyEvent[],
  { until = 0, config = {} }: { until?: number; config?: Partial<ForceCloseConfig> } = {},
): ForceCloseRun {
  const driven = driveHandler(createForceCloseSaga(config), events, { until: T0 + until });
  for (const { type, data } of driven.emitted) validateData(type, { event_type: type, ...data });
  const reports = driven.of('trade.force_close');
  return { ...driven, reports, stages: reports.map(({ stage }) => stage) };
}
