import { reservedNotional } from '@moon/domain';
import { causeOf } from '../../output/describe-trading';
import { table } from '../../output/table';
import { clock, money, short, shortId } from '../../output/text';
import type { PortfolioView } from './read-portfolio';

/** A portfolio for the eye. Ledger amounts are shown as they are booked, marked ones rounded to cents. */
export function renderPortfolio(view: PortfolioView): string[] {
  const { state, value, asOf } = view;
  const { accountModel, marginMode, settlementAsset } = state.config;
  const model = marginMode === null ? accountModel : `${accountModel}, ${marginMode}`;
  return [
    `${state.portfolio}  (${model}, ${settlementAsset})  as of ${clock(asOf)} UTC`,
    `  equity ${money(value.equity)}   cash ${money(Number(state.cash))}   unrealised ${money(value.unrealisedPnl)}   leverage ${short(value.leverage)}`,
    `  realised ${state.realisedPnl}   fees ${state.fees}   funding ${state.funding}   deposits ${state.deposits}   withdrawals ${state.withdrawals}`,
    `  fills ${state.counters.fills}   positions closed ${state.counters.closedPositions} (${state.counters.winners} won, ${state.counters.losers} lost)   liquidations ${state.counters.liquidations}`,
    ...indent(haltLines(view)),
    ...indent(positionLines(view)),
    ...indent(orderLines(view)),
    ...(value.unpriced.length > 0 ? [`  No price is known of ${value.unpriced.join(', ')}: valued at cost.`] : []),
  ];
}

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

function haltLines({ halts }: PortfolioView): string[] {
  if (halts.length === 0) return ['not halted'];
  return halts.map(
    ({ source, scope, reason, since }) =>
      `HALTED by ${causeOf(source, reason)}${scope === 'global' ? ' (all portfolios)' : ''}, since ${clock(since)}`,
  );
}

function positionLines({ value, entryPrices, state }: PortfolioView): string[] {
  if (value.positions.length === 0) return ['no positions'];
  const columns = [
    { title: 'position' },
    ...['quantity', 'entry', 'mark', 'exposure', 'unrealised', 'realised', 'funding', 'liquidation', 'distance'].map(
      (title) => ({ title, right: true }),
    ),
  ];
  return table(
    columns,
    value.positions.map((position) => {
      const books = state.positions[position.instrument];
      const { liquidationPrice, distance } = position;
      return [
        position.instrument,
        books?.quantity ?? short(position.quantity),
        short(Number(entryPrices[position.instrument] ?? position.averagePrice)),
        short(position.mark),
        money(position.exposure),
        money(position.unrealisedPnl),
        money(Number(books?.realisedPnl ?? 0)),
        money(Number(books?.funding ?? 0)),
        liquidationPrice === null ? '-' : short(liquidationPrice),
        distance === null ? '-' : `${(distance * 100).toFixed(1)} %`,
      ];
    }),
  );
}

function orderLines({ orders, state }: PortfolioView): string[] {
  if (orders.length === 0) return ['no open orders'];
  const rows = orders.map((order) => [
    shortId(order.orderId),
    order.side,
    order.quantity,
    order.instrument,
    order.orderType,
    order.filled,
    order.status.replaceAll('_', ' '),
    clock(order.requestedAt),
  ]);
  const columns = ['order', 'side', 'quantity', 'instrument', 'type', 'filled', 'status', 'requested'].map((title) => ({
    title,
  }));
  return [...table(columns, rows), `reserved ${reservedNotional(state)} ${state.config.settlementAsset}`];
}

/** The same as plain data, amounts of the ledger as decimal strings. */
export function portfolioData({ state, value, halts, orders, entryPrices, asOf }: PortfolioView): object {
  const { positions, ...valued } = value;
  return {
    portfolio: state.portfolio,
    asOf,
    accountModel: state.config.accountModel,
    marginMode: state.config.marginMode,
    settlementAsset: state.config.settlementAsset,
    cash: state.cash,
    deposits: state.deposits,
    withdrawals: state.withdrawals,
    realisedPnl: state.realisedPnl,
    fees: state.fees,
    funding: state.funding,
    counters: state.counters,
    equity: valued.equity,
    unrealisedPnl: valued.unrealisedPnl,
    leverage: valued.leverage,
    grossExposure: valued.grossExposure,
    availableMargin: valued.availableMargin,
    positions: positions.map((position) => ({
      ...position,
      quantity: state.positions[position.instrument]?.quantity,
      entryPrice: entryPrices[position.instrument] ?? null,
      realisedPnl: state.positions[position.instrument]?.realisedPnl,
      fees: state.positions[position.instrument]?.fees,
      funding: state.positions[position.instrument]?.funding,
    })),
    unpriced: valued.unpriced,
    halts,
    orders: orders.map(({ payload: _bytes, signature: _signature, ...order }) => order),
  };
}
