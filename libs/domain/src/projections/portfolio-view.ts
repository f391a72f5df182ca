import type { EmitData, JsonObject, JsonValue, PositionView } from '@moon/events';
import { abs, num15 } from '../money';
import type { PortfolioState, PositionValue, Valuation } from '../portfolio';

/** What readers see of a portfolio: a snapshot without its envelope. */
export type PortfolioView = Omit<EmitData<'state.snapshot'>, 'timestamp' | 'portfolio'>;
type Delta = EmitData<'state.changed'>['delta'];

/** The view of a portfolio at the present marks. Numbers are for display; cash and quantities are exact. */
export function viewOf(
  portfolio: PortfolioState,
  value: Valuation,
  marks: Readonly<Record<string, number>>,
): PortfolioView {
  const positions: Record<string, PositionView> = {};
  for (const position of value.positions) {
    const quantity = portfolio.positions[position.instrument]?.quantity;
    if (quantity !== undefined) positions[position.instrument] = positionView(position, quantity, marks);
  }
  return {
    portfolio_value: num15(value.equity),
    positions,
    leverage_ratio: num15(value.leverage),
    daily_pnl: num15(value.dailyPnl),
    cash: portfolio.cash,
    equity: num15(value.equity),
    exposure: num15(value.grossExposure),
    drawdown: num15(value.drawdown),
    riskScore: num15(value.riskScore),
    halts: portfolio.halts.map(({ source, scope, reason }) => ({ source, scope, reason })),
  };
}

function positionView(
  position: PositionValue,
  quantity: string,
  marks: Readonly<Record<string, number>>,
): PositionView {
  const { token, instrument, averagePrice, mark, exposure, unrealisedPnl, liquidationPrice, distance } = position;
  return {
    token,
    instrument,
    side: quantity.startsWith('-') ? 'short' : 'long',
    quantity: abs(quantity),
    entryPrice: num15(averagePrice),
    mark: marks[instrument] === undefined ? null : num15(mark),
    notional: num15(exposure),
    unrealisedPnl: num15(unrealisedPnl),
    liquidationPrice: liquidationPrice === null ? null : num15(liquidationPrice),
    distance: distance === null ? null : num15(distance),
  };
}

/**
 * What changed from one view to the next: `new_<field>` for each changed field; of the positions only those that
 * changed, with null for one that is gone. null when nothing did.
 */
export function deltaOf(before: PortfolioView | null, after: PortfolioView): Delta | null {
  const delta: Delta = { changed_fields: [] };
  for (const field of Object.keys(after).sort() as (keyof PortfolioView)[]) {
    if (before !== null && isSame(before[field], after[field])) continue;
    delta.changed_fields.push(field);
    delta[`new_${field}`] =
      field === 'positions' ? changedPositions(before?.positions ?? {}, after.positions) : (after[field] as JsonValue);
  }
  return delta.changed_fields.length === 0 ? null : delta;
}

function changedPositions(before: Record<string, PositionView>, after: Record<string, PositionView>): JsonObject {
  const changed: JsonObject = {};
  for (const instrument of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    if (!isSame(before[instrument], after[instrument])) changed[instrument] = { ...after[instrument] };
    if (after[instrument] === undefined) changed[instrument] = null;
  }
  return changed;
}

/** Deep equality of plain JSON, whatever the order of keys. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}
