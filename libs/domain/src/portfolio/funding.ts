import { fromNumber, ledger, mul, neg, div, sign, type Decimal } from '../money';
import type { Instrument } from '../instruments';
import { refuse, type Decision } from '../order/decision';
import type { PortfolioState } from './state';

/** Settlements remembered for each instrument; with hourly funding a day and a half. */
export const SETTLEMENTS_REMEMBERED = 36;

/** One settlement of a perpetual's funding. */
export interface Settlement {
  token: string;
  instrument: string;
  /** The settlement instant, epoch ms. */
  settlesAt: number;
  /** Share of the notional that longs pay to shorts over the interval that ended. */
  rate: number;
  oraclePrice: Decimal;
  timestamp: number;
  /** Signed position at the settlement instant; default: the one held now, if it was held then. */
  positionQuantity?: Decimal;
  /** What the venue says it booked, + received; default: computed. */
  amount?: Decimal;
}

/** The id of a settlement within a portfolio: the same whoever reports it. */
function settlementId(instrument: string, settlesAt: number): string {
  return `${instrument}@${settlesAt}`;
}

/** The settlement instant in a settlement's id, epoch ms. */
export function settledAt(id: string): number {
  const instant = Number(id.slice(id.lastIndexOf('@') + 1));
  if (!Number.isSafeInteger(instant))
    throw new RangeError(`"${id}" is no settlement id such as "BTC.HYPERLIQUID@1729951200000".`);
  return instant;
}

/**
 * Books funding, once for each (portfolio, instrument, settlement), on the position held at that instant (rule 14):
 * received = −quantity × multiplier × oracle price × rate; for an inverse contract its coin value, quantity × multiplier ÷ oracle price.
 * Source: HyperLiquid docs, trading/funding (position size × oracle price × rate; longs pay a positive one).
 *
 * No events when nothing was held or the settlement is booked already.
 */
export function decideFunding(
  state: PortfolioState,
  settlement: Settlement,
  instrument: Instrument,
): Decision<'portfolio.funding_booked'> {
  const settled = state.fundingSettled[settlement.instrument] ?? [];
  if (settled.includes(settlement.settlesAt)) return { events: [] };
  if (settled.length >= SETTLEMENTS_REMEMBERED && settlement.settlesAt < (settled[0] ?? 0)) {
    return refuse(
      'settlement_too_old',
      `It is no longer known whether the settlement of ${settlement.instrument} was booked.`,
      {
        settlesAt: settlement.settlesAt,
        oldestKnown: settled[0] ?? null,
      },
    );
  }
  const quantity = settlement.positionQuantity ?? heldAt(state, settlement);
  const { ledgerScale } = state.config;
  const amount =
    settlement.amount === undefined
      ? payment(quantity, settlement, instrument, ledgerScale)
      : ledger(settlement.amount, ledgerScale);
  if (sign(quantity) === 0 && sign(amount) === 0) return { events: [] };
  return {
    events: [
      {
        type: 'portfolio.funding_booked',
        data: {
          portfolio: state.portfolio,
          token: settlement.token,
          instrument: settlement.instrument,
          settlementId: settlementId(settlement.instrument, settlement.settlesAt),
          rate: settlement.rate,
          positionQuantity: quantity,
          oraclePrice: settlement.oraclePrice,
          amount,
          timestamp: settlement.timestamp,
        },
      },
    ],
  };
}

function heldAt(state: PortfolioState, settlement: Settlement): Decimal {
  const position = state.positions[settlement.instrument];
  return position === undefined || position.openedAt > settlement.settlesAt ? '0' : position.quantity;
}

/** Received for a signed quantity, rounded once. */
function payment(quantity: Decimal, settlement: Settlement, instrument: Instrument, scale: number): Decimal {
  const owed = neg(mul(mul(quantity, instrument.multiplier), fromNumber(settlement.rate)));
  if (instrument.kind === 'inverse') return div(owed, settlement.oraclePrice, scale);
  return ledger(mul(owed, settlement.oraclePrice), scale);
}
