import { div, fromNumber, mul, neg, sign, type Decimal, type Instrument } from '@moon/domain';
import type { EmitData } from '@moon/events';
import type { Desk, VenueContext } from './context';
import { bookFunding, fundingOf, quantityAt } from './ledger';
import { judge } from './liquidation';
import { markOf } from './margin';
import { reportAccount, requireAccount } from './reports';
import type { AccountState, PositionState } from './state';

/** Settlements of an instrument that are remembered; far more than can be announced out of order. */
const KEPT_SETTLEMENTS = 64;

/**
 * Pays a settled funding rate on the position that was held at the settlement instant, once for each account,
 * instrument and settlement (rule 14). The price is the oracle's; without one the mark, flagged `derived` (rule 11).
 */
export function settleFunding(context: VenueContext, desk: Desk, update: EmitData<'funding.update'>): void {
  if (update.status !== 'settled') return;
  // In order of name: what comes out must not depend on how a store keeps the keys of an object.
  for (const portfolio of Object.keys(context.state.accounts).sort()) {
    const account = requireAccount(context, portfolio);
    const position = account.positions[desk.instrument.id];
    if (position) pay(context, account, desk, { position, update });
  }
}

function pay(
  context: VenueContext,
  account: AccountState,
  desk: Desk,
  due: { position: PositionState; update: EmitData<'funding.update'> },
): void {
  const { settlesAt, rate } = due.update;
  const { instrument } = desk;
  const quantity = quantityAt(due.position, settlesAt);
  if (quantity === null || quantity === '0' || !takeSettlement(account, instrument.id, settlesAt)) return;
  const oracle = due.update.oraclePrice ?? desk.market.oracle;
  const isDerived = !(oracle > 0);
  const price = isDerived ? derivedPrice(desk, due.position) : fromNumber(oracle);
  const amount = fundingOf(account, instrument, quantity, price, fromNumber(rate));
  bookFunding(account, instrument.id, amount, quantity);
  reportAccount(context, account, {
    kind: 'funding',
    instrument: instrument.id,
    token: instrument.token,
    side: sign(quantity) > 0 ? 'buy' : 'sell',
    quantity: sign(quantity) > 0 ? quantity : neg(quantity),
    price,
    rate,
    amount,
    settlesAt,
    ...(isDerived ? { code: 'derived', message: 'Without an oracle price the mark was used.' } : {}),
  });
  judge(context, account);
}

/** False when this settlement was paid, or lies before all that are remembered. */
function takeSettlement(account: AccountState, instrument: string, settlesAt: number): boolean {
  const settled = (account.settled[instrument] ??= []);
  let at = settled.length;
  while (at > 0 && (settled[at - 1] as number) > settlesAt) at -= 1;
  if (at > 0 && settled[at - 1] === settlesAt) return false;
  if (at === 0 && settled.length >= KEPT_SETTLEMENTS) return false;
  settled.splice(at, 0, settlesAt);
  if (settled.length > KEPT_SETTLEMENTS) settled.shift();
  return true;
}

function derivedPrice(desk: Desk, position: PositionState): Decimal {
  const mark = markOf(desk);
  return mark > 0 ? fromNumber(mark) : entryPrice(desk.instrument, position);
}

/** Average entry price: what the cost says. Only for a position that was never priced. */
function entryPrice(instrument: Instrument, position: PositionState): Decimal {
  const units = mul(position.quantity, instrument.multiplier);
  return instrument.kind === 'inverse' ? div(neg(units), position.costBasis, 18) : div(position.costBasis, units, 18);
}
