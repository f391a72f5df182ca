import { differences, type VenueReport } from '@moon/kernel';
import { isTerminal } from '@moon/domain';
import type { RemotePaperVenue } from '@moon/app-execution';
import type { Findings } from './findings';
import type { LogFold } from './log-fold';

/** The venue's own books and reports against what the log folds to. */
export async function checkVenue(venue: RemotePaperVenue, fold: LogFold, findings: Findings): Promise<void> {
  for (const [name, portfolio] of fold.portfolios) {
    const books = await venue.books(name);
    for (const difference of differences(portfolio, books))
      findings.add('stuck', `the books differ: ${name}, ${difference}`);
    for (const { orderId } of books.openOrders) {
      const order = fold.orders.get(orderId);
      if (!order || isTerminal(order.status))
        findings.add(
          'stuck',
          `the venue works an order that is over here: ${orderId} is ${order?.status ?? 'unknown'}`,
        );
    }
    checkReports(await venue.reportsSince(name, 0), fold, findings);
  }
}

/** No order of ours was accepted twice, under whatever client order id. */
export function checkReports(reports: readonly VenueReport[], fold: LogFold, findings: Findings): void {
  const accepted = new Map<string, string>();
  for (const report of reports) {
    if (report.kind !== 'accepted') continue;
    const orderId = String(report.order_id);
    const venueOrderId = String(report.venueOrderId);
    const before = accepted.get(orderId);
    if (before !== undefined)
      findings.add('venueDoubles', `an order was accepted twice: ${orderId} as ${before} and ${venueOrderId}`);
    accepted.set(orderId, venueOrderId);
    const known = fold.orders.get(orderId);
    if (!known) findings.add('lost', `the venue accepted an order that the log does not know: ${orderId}`);
  }
}
