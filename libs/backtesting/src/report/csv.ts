import type { ClosedTrade } from '@moon/domain';
import type { BacktestReport } from './build-report';

type Cell = string | number | null;

/**
 * Closed trades of all portfolios, one a line, in the order they were closed. Times are ISO 8601 UTC; amounts are the
 * ledger's exact decimals in the settlement asset.
 */
export function tradesCsv({ portfolios }: BacktestReport): string {
  const columns: [string, (trade: ClosedTrade) => Cell][] = [
    ['trade_id', ({ id }) => id],
    ['token', ({ token }) => token],
    ['instrument', ({ instrument }) => instrument],
    ['side', ({ side }) => side],
    ['quantity', ({ quantity }) => quantity],
    ['opened_at', ({ openedAt }) => iso(openedAt)],
    ['closed_at', ({ closedAt }) => iso(closedAt)],
    ['entry_price', ({ entryPrice }) => entryPrice],
    ['exit_price', ({ exitPrice }) => exitPrice],
    ['gross_pnl', ({ grossPnl }) => grossPnl],
    ['fees', ({ fees }) => fees],
    ['funding', ({ funding }) => funding],
    ['net_pnl', ({ netPnl }) => netPnl],
    ['mae', ({ mae }) => mae],
    ['mfe', ({ mfe }) => mfe],
    ['entry_reason', ({ entry }) => entry.reason],
    ['entry_event_id', ({ entry }) => entry.eventId],
    ['entry_order_id', ({ entry }) => entry.orderId],
    ['entry_decision_id', ({ entry }) => entry.decisionId],
    ['exit_reason', ({ exit }) => exit.reason],
    ['exit_event_id', ({ exit }) => exit.eventId],
    ['exit_order_id', ({ exit }) => exit.orderId],
    ['exit_decision_id', ({ exit }) => exit.decisionId],
  ];
  const rows = portfolios.flatMap(({ recording }) =>
    recording.trades.map((trade) => [
      recording.portfolio,
      recording.settlementAsset,
      ...columns.map(([, read]) => read(trade)),
    ]),
  );
  return csv(['portfolio', 'settlement_asset', ...columns.map(([name]) => name)], rows);
}

/** Daily closes of all portfolios: equity, flow, flow-adjusted return, depth below the peak, exposure, benchmark. */
export function equityCsv({ portfolios }: BacktestReport): string {
  const rows = portfolios.flatMap(({ recording, metrics }) =>
    metrics.daily.map(({ day, equity, flow, return: earned, underwater, exposure }, i) => [
      recording.portfolio,
      recording.settlementAsset,
      iso(day).slice(0, 10),
      equity,
      flow,
      earned,
      underwater,
      exposure,
      metrics.benchmark?.daily[i]?.equity ?? null,
    ]),
  );
  const header = 'portfolio,settlement_asset,day,equity,flow,return,underwater,exposure,benchmark_equity';
  return csv(header.split(','), rows);
}

/** Fills of all portfolios, one a line, in the order they were booked. */
export function fillsCsv({ portfolios }: BacktestReport): string {
  const rows = portfolios.flatMap(({ recording }) =>
    recording.fills.map((fill) => [
      recording.portfolio,
      recording.settlementAsset,
      fill.id,
      fill.orderId,
      iso(fill.at),
      fill.token,
      fill.instrument,
      fill.side,
      fill.quantity,
      fill.price,
      fill.fee,
      fill.liquidity,
      iso(fill.priceStamp),
    ]),
  );
  const header =
    'portfolio,settlement_asset,fill_id,order_id,at,token,instrument,side,quantity,price,fee,liquidity,price_stamp';
  return csv(header.split(','), rows);
}

const iso = (at: number): string => new Date(at).toISOString();

/** RFC 4180, with a line feed at the end of each line; an undefined figure is an empty field. */
function csv(header: readonly string[], rows: readonly Cell[][]): string {
  return [header, ...rows].map((row) => `${row.map(field).join(',')}\n`).join('');
}

/** A text that a spreadsheet would run as a formula is given a quote before it; numbers keep their sign. */
function field(value: Cell): string {
  if (value === null) return '';
  const raw = String(value);
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(raw) && !/^-?\d/.test(raw) ? `'${raw}` : raw;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
