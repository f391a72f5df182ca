import type { VenueState } from './state';

/**
 * What the state hash sees of a venue (rule 6): the books of every account and its open orders. Left out are report
 * numbers, nonces, client order ids and prices: what depends on attempts, on the way of a recovery, or is no book.
 */
export function venueHashView(state: Readonly<VenueState>): Record<string, unknown> {
  const accounts: Record<string, unknown> = {};
  for (const account of Object.values(state.accounts)) {
    const { cash, realisedPnl, fees, funding } = account;
    const positions = Object.values(account.positions)
      .filter((position) => position.quantity !== '0')
      .map(({ history: _history, knownFrom: _knownFrom, ...position }) => position)
      .sort((a, b) => (a.instrument < b.instrument ? -1 : 1));
    const resting = Object.values(state.resting).flat();
    const underWay = state.agenda.flatMap((due) => (due.kind === 'order' ? [due.order] : []));
    const orders = [...resting, ...underWay]
      .filter((order) => order.portfolio === account.portfolio)
      .sort((a, b) => a.n - b.n)
      .map(
        ({
          orderId,
          instrument,
          side,
          orderType,
          quantity,
          filled,
          limitPrice,
          stopPrice,
          timeInForce,
          reduceOnly,
          status,
        }) => {
          return {
            orderId,
            instrument,
            side,
            orderType,
            quantity,
            filled,
            limitPrice,
            stopPrice,
            timeInForce,
            reduceOnly,
            status,
          };
        },
      );
    accounts[account.portfolio] = { cash, realisedPnl, fees, funding, positions, orders };
  }
  return accounts;
}
