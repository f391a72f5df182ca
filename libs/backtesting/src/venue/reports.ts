import { VenueRefused } from '@moon/kernel';
import type { VenueReport } from '@moon/kernel';
import { schedule } from './agenda';
import type { VenueContext } from './context';
import { own } from './own';
import type { AccountState, OrderState } from './state';

/** What a report says, without what every report has. */
type ReportFacts = Pick<VenueReport, 'kind'> & Partial<VenueReport>;

/** Reports something of an order; it reaches the platform after the order's own delay. */
export function reportOrder(context: VenueContext, account: AccountState, order: OrderState, facts: ReportFacts): void {
  const report = begin(context, account, facts.kind);
  report.order_id = order.orderId;
  report.instrument = order.instrument;
  const token = context.desks.get(order.instrument)?.instrument.token;
  if (token !== undefined) report.token = token;
  if (order.venueOrderId !== null) report.venueOrderId = order.venueOrderId;
  send(context, account, order.clientOrderId, Object.assign(report, facts));
}

/** What a report of a fill says. */
type FillFacts = Required<
  Pick<VenueReport, 'side' | 'price' | 'quantity' | 'fee' | 'feeAsset' | 'liquidity' | 'fillId'>
>;

/** Reports a fill. Written out, like the books' own copies: it is made as often as anything. */
export function reportFill(context: VenueContext, account: AccountState, order: OrderState, facts: FillFacts): void {
  const token = context.desks.get(order.instrument)?.instrument.token;
  const { venueOrderId } = order;
  if (token === undefined || venueOrderId === null)
    return reportOrder(context, account, order, { kind: 'filled', ...facts });
  send(context, account, order.clientOrderId, {
    portfolio: account.portfolio,
    venue: context.config.name,
    reportId: '',
    venueSeq: 0,
    kind: 'filled',
    timestamp: 0,
    order_id: order.orderId,
    instrument: order.instrument,
    token,
    venueOrderId,
    side: facts.side,
    price: facts.price,
    quantity: facts.quantity,
    fee: facts.fee,
    feeAsset: facts.feeAsset,
    liquidity: facts.liquidity,
    fillId: facts.fillId,
  });
}

/** Reports something of an account: funding, margin call, liquidation. */
export function reportAccount(context: VenueContext, account: AccountState, facts: ReportFacts): void {
  send(context, account, `account/${account.portfolio}`, Object.assign(begin(context, account, facts.kind), facts));
}

/** Number and time are given when it reaches the platform. */
function begin(context: VenueContext, account: AccountState, kind: VenueReport['kind']): VenueReport {
  const { portfolio } = account;
  return { portfolio, venue: context.config.name, reportId: '', venueSeq: 0, kind, timestamp: 0 };
}

/** @throws VenueRefused `unknown_account` */
export function requireAccount(context: VenueContext, portfolio: string): AccountState {
  const account = own(context.state.accounts, portfolio);
  if (!account)
    throw new VenueRefused('unknown_account', `Portfolio "${portfolio}" has no account at ${context.config.name}.`);
  return account;
}

/** A report on its way has arrived. */
export function release(context: VenueContext, report: VenueReport): void {
  const account = requireAccount(context, report.portfolio);
  account.reportsUnderWay -= 1;
  hand(context, account, report);
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

/**
 * A connection keeps order: a report never overtakes an earlier one of its account, whatever delay was drawn for it. The
 * platform's ledger follows the reports, and the order of fills matters to a ledger.
 */
function send(context: VenueContext, account: AccountState, delayKey: string, report: VenueReport): void {
  const { time } = context.state;
  const at = Math.max(time + context.models.latency.toPlatformMs(delayKey), account.lastReportAt);
  if (at <= time && account.reportsUnderWay === 0) return hand(context, account, report);
  account.lastReportAt = at;
  account.reportsUnderWay += 1;
  schedule(context.state, { at, kind: 'report', report });
}

/** Hands a report to the platform: now it gets its number. */
function hand(context: VenueContext, account: AccountState, report: VenueReport): void {
  account.venueSeq += 1;
  report.venueSeq = account.venueSeq;
  report.reportId = `${report.portfolio}-${account.venueSeq}`;
  report.timestamp = context.state.time;
  account.reports.push(report);
  const { keepReports } = context.config;
  // In blocks, because shortening an array by one is as dear as by a quarter.
  if (account.reports.length > keepReports * 1.25) account.reports.splice(0, account.reports.length - keepReports);
  context.out.push(report);
}
