import { liquidationRoot, maintenanceOf } from './liquidation-price';
import type { Books, Line, Margining } from './valuation-books';

/** A position at its mark; amounts in settlement asset, float64. */
export interface PositionValue {
  instrument: string;
  token: string;
  /** Signed, units of the instrument. */
  quantity: number;
  averagePrice: number;
  /** The price that values it; the average price when none is known. */
  mark: number;
  /** |value|. */
  exposure: number;
  unrealisedPnl: number;
  /** Isolated: the margin set aside; cross: exposure ÷ leverage; cash models: 0. */
  margin: number;
  maintenance: number;
  /** null when no positive price liquidates it. */
  liquidationPrice: number | null;
  /** |mark − liquidation price| ÷ mark (rule 19); 0 once the mark is past it. */
  distance: number | null;
}

/** What leverage says when there is exposure and no equity behind it: JSON knows no infinity. */
export const LEVERAGE_WITHOUT_EQUITY = 1_000_000;

/** Sums over the positions at one set of marks. */
export interface Totals {
  equity: number;
  unrealisedPnl: number;
  grossExposure: number;
  netExposure: number;
  largest: number;
  marginUsed: number;
  maintenance: number;
}

/** Room for what is worked out at one set of marks; used within one call only. */
export const SCRATCH = {
  marks: [] as number[],
  values: [] as number[],
  maintenances: [] as number[],
  totals: {
    equity: 0,
    unrealisedPnl: 0,
    grossExposure: 0,
    netExposure: 0,
    largest: 0,
    marginUsed: 0,
    maintenance: 0,
  } satisfies Totals as Totals,
};

/** Sums up at the given marks; instruments without one are valued at cost, and named in `unpriced` when it is given. */
export function sumUp(read: Books, prices: Readonly<Record<string, number>>, unpriced: string[] | null): void {
  const { lines, margining } = read;
  const { marks, values, maintenances, totals } = SCRATCH;
  let equity = read.cash;
  let unrealisedPnl = 0;
  let grossExposure = 0;
  let netExposure = 0;
  let largest = 0;
  let marginUsed = 0;
  let maintenance = 0;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] as Line;
    const price = prices[line.instrument];
    const known = price !== undefined && price > 0;
    if (!known) unpriced?.push(line.instrument);
    const mark = known ? price : line.entry;
    const value = line.contract.inverse ? line.units / mark : line.units * mark;
    const exposure = value < 0 ? -value : value;
    marks[index] = mark;
    values[index] = value;
    unrealisedPnl += value - line.cost;
    equity += margining === 'none' ? value : value - line.cost;
    grossExposure += exposure;
    netExposure += line.quantity > 0 ? exposure : -exposure;
    if (exposure > largest) largest = exposure;
    if (margining === 'none') continue;
    const needed = maintenanceOf(line.contract, exposure);
    maintenances[index] = needed;
    maintenance += needed;
    marginUsed += marginAt(line, exposure, margining);
  }
  totals.equity = equity;
  totals.unrealisedPnl = unrealisedPnl;
  totals.grossExposure = grossExposure;
  totals.netExposure = netExposure;
  totals.largest = largest;
  totals.marginUsed = marginUsed;
  totals.maintenance = maintenance;
}

/** Writes every position into the list, whose entries are used again when it has them. */
export function placePositions(positions: PositionValue[], read: Books): void {
  const { lines, margining } = read;
  const { marks, values, maintenances, totals } = SCRATCH;
  if (positions.length > lines.length) positions.length = lines.length;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] as Line;
    const mark = marks[index] as number;
    const value = values[index] as number;
    const maintenance = margining === 'none' ? 0 : (maintenances[index] as number);
    const exposure = value < 0 ? -value : value;
    const unrealisedPnl = value - line.cost;
    // The account without this position's profit, less what the others need, stands behind a cross position.
    const behind =
      margining === 'isolated' ? line.margin : totals.equity - unrealisedPnl - (totals.maintenance - maintenance);
    const price = margining === 'none' ? null : liquidatedAt(line, mark, behind);
    const position = (positions[index] ??= newPosition());
    position.instrument = line.instrument;
    position.token = line.token;
    position.quantity = line.quantity;
    position.averagePrice = line.entry;
    position.mark = mark;
    position.exposure = exposure;
    position.unrealisedPnl = unrealisedPnl;
    position.margin = marginAt(line, exposure, margining);
    position.maintenance = maintenance;
    position.liquidationPrice = price;
    position.distance = price === null ? null : distanceTo(price, mark, line.quantity > 0);
  }
}

function newPosition(): PositionValue {
  return {
    instrument: '',
    token: '',
    quantity: 0,
    averagePrice: 0,
    mark: 0,
    exposure: 0,
    unrealisedPnl: 0,
    margin: 0,
    maintenance: 0,
    liquidationPrice: null,
    distance: null,
  };
}

function marginAt(line: Line, exposure: number, margining: Margining): number {
  if (margining === 'none') return 0;
  return margining === 'isolated' ? line.margin : exposure / line.leverage;
}

/** null: at no price. The mark itself when there is nothing left to lose: liquidated at every price. */
function liquidatedAt(line: Line, mark: number, behind: number): number | null {
  const root = liquidationRoot(line.contract, line.quantity, line.cost, behind);
  if (line.quantity > 0 ? root <= 0 : root === Number.POSITIVE_INFINITY) return null;
  return root > 0 && root < Number.POSITIVE_INFINITY ? root : mark;
}

function distanceTo(liquidation: number, mark: number, long: boolean): number {
  const way = long ? mark - liquidation : liquidation - mark;
  return way > 0 ? way / mark : 0;
}

/** Equity − margin used; cash models: cash. */
export function availableAt(read: Books): number {
  const { totals } = SCRATCH;
  if (read.margining === 'none') return read.cash;
  // An isolated position's profit backs that position alone.
  const own = read.margining === 'isolated' ? read.cash : totals.equity;
  return own - totals.marginUsed;
}

/** Gross exposure ÷ equity. */
export function leverageAt(exposure: number, equity: number): number {
  return equity > 0 ? Math.min(exposure / equity, LEVERAGE_WITHOUT_EQUITY) : LEVERAGE_WITHOUT_EQUITY;
}

/** The shortest distance to liquidation; null when nothing can be liquidated. */
export function nearestOf(positions: readonly PositionValue[]): number | null {
  let nearest: number | null = null;
  for (const { distance } of positions) {
    if (distance !== null && (nearest === null || distance < nearest)) nearest = distance;
  }
  return nearest;
}
