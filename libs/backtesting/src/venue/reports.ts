import { VenueRefused } from '@moon/kernel';
import type { VenueReport } from '@moon/kernel';
import { schedule } from './agenda';
import type { VenueContext } from './context';
import type { AccountState, OrderState, PendingReport } from './state';

/** Reports something of an order; it reaches the platform after the order's own delay. */
export function reportOrder(
  context: VenueContext,
  account: AccountState,
  order: OrderState,
  facts: Omit<PendingReport, 'order_id' | 'instrument'>,
): void {
  const head: Partial<PendingReport> = { order_id: order.orderId, instrument: order.instrument };
  const token = context.desks.get(order.instrument)?.instrument.token;
  if (token !== undefined) head.token = token;
  if (order.venueOrderId !== null) head.venueOrderId = order.venueOrderId;
  send(context, account, order.clientOrderId, { ...head, ...facts });
}

/** Reports something of an account: funding, margin call, liquidation. */
export function reportAccount(context: VenueContext, account: AccountState, facts: PendingReport): void {
  send(context, account, `account/${account.portfolio}`, facts);
}

/** Hands a report to the platform: now it gets its number. */
export function release(context: VenueContext, portfolio: string, pending: PendingReport): void {
  const account = context.state.accounts[portfolio];
  if (!account) throw new Error(`A report is due to portfolio "${portfolio}", which has no account here.`);
  account.venueSeq += 1;
  const report: VenueReport = {
    portfolio,
    venue: context.config.name,
    reportId: `${portfolio}-${account.venueSeq}`,
    venueSeq: account.venueSeq,
    timestamp: context.state.time,
    ...pending,
  };
  account.reports.push(report);
  const { keepReports } = context.config;
  // In blocks, because shortening an array by one is as dear as by a quarter.
  if (account.reports.length > keepReports * 1.25) account.reports.splice(0, account.reports.length - keepReports);
  context.out.push(report);
}

/** Reports above a number that are still in memory. @throws VenueRefused `reports_gone` when older ones are asked for */
export function reportsAfter(account: AccountState, venueSeq: number): VenueReport[] {
  const missing = account.venueSeq - venueSeq;
  if (missing <= 0) return [];
  if (missing > account.reports.length) {
    throw new VenueRefused(
      'reports_gone',
      `Reports of ${account.portfolio} after ${venueSeq} are asked for; the oldest one kept is ${account.reports[0]?.venueSeq ?? 0}.`,
    );
  }
  return account.reports.slice(account.reports.length - missing);
}

function send(context: VenueContext, account: AccountState, delayKey: string, facts: PendingReport): void {
  const at = context.state.time + context.models.latency.toPlatformMs(delayKey);
  if (at <= context.state.time) release(context, account.portfolio, facts);
  else schedule(context.state, { at, kind: 'report', portfolio: account.portfolio, report: facts });
}
