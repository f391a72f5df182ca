import { add, cmp, isZero, sub, type Decimal } from '../money';
import { flowsOf } from './daily';
import type { MeasuredRecording } from './types';
import { openPnl, total } from './trade-figures';

/** The sum that proves a run; every amount in the settlement asset, exact. Each difference is `'0'` when all is well. */
export interface LedgerBalance {
  startEquity: Decimal;
  /** Deposits − withdrawals within the run. */
  flows: Decimal;
  /** Net results of the closed trades. */
  closedPnl: Decimal;
  /** Of what is still held: unrealised + realised − fees + funding. */
  openPnl: Decimal;
  finalEquity: Decimal;
  /** startEquity + flows + closedPnl + openPnl − finalEquity. */
  difference: Decimal;
  /** Fees of all fills − fees of trades and open positions. */
  feesDifference: Decimal;
  /** The same for funding. */
  fundingDifference: Decimal;
  /** Equity at the close of the last day − finalEquity: the curve ends where the ledger does. */
  curveDifference: Decimal;
  /** Ids of trades whose netPnl is not grossPnl − fees + funding. */
  unevenTrades: string[];
  balanced: boolean;
}

/** Proves that equity curve = ledger = sum of trades − fees + funding, to the last unit. */
export function ledgerBalance(recording: MeasuredRecording): LedgerBalance {
  const { startEquity, finalEquity, trades, open, days } = recording;
  const flows = flowsOf(recording);
  const closedPnl = total(trades.map(({ netPnl }) => netPnl));
  const held = total(open.map(openPnl));
  const booked = [...trades, ...open];
  const paid = total(recording.fills.map(({ fee }) => fee));
  const received = total(recording.fundings.map(({ amount }) => amount));
  const differences = {
    difference: sub(total([startEquity, flows, closedPnl, held]), finalEquity),
    feesDifference: sub(paid, total(booked.map(({ fees }) => fees))),
    fundingDifference: sub(received, total(booked.map(({ funding }) => funding))),
    curveDifference: sub(days[days.length - 1]?.equity ?? startEquity, finalEquity),
  };
  const unevenTrades = trades
    .filter(({ grossPnl, fees, funding, netPnl }) => cmp(add(sub(grossPnl, fees), funding), netPnl) !== 0)
    .map(({ id }) => id);
  const balanced = Object.values(differences).every(isZero) && unevenTrades.length === 0;
  return { startEquity, flows, closedPnl, openPnl: held, finalEquity, ...differences, unevenTrades, balanced };
}
