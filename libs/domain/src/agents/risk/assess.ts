import { num15 } from '../../money';
import { valuation, type Figures, type PositionValue, type Valuation } from '../../portfolio';
import type { LimitsConfig } from '../../risk';
import {
  above,
  alert,
  episodeKey,
  follow,
  noteCleared,
  percent,
  percentAbove,
  settle,
  WHOLE_PORTFOLIO,
  type Alert,
  type Watch,
} from './episodes';

/** Values the portfolio at the present prices; also moves peak and day's figures on. */
export function valueNow({ state, out }: Watch): Valuation | null {
  return state.portfolio && valuation(state.portfolio, state.prices.marks, out.now, state.tracker);
}

/**
 * Judges the portfolio at the present prices (RSK-1, RSK-2): leverage, drawdown, the day's loss and exposure against
 * its limits, and each position's distance to liquidation. Every condition is reported when it begins, not on every tick.
 * Nothing is judged before a price has come: at their entry prices positions say nothing.
 */
export function assess(watch: Watch, value: Readonly<Figures>): void {
  const { state } = watch;
  const { bounds } = state;
  if (bounds === null || state.pricedAt === 0) return;
  const { positions } = value;
  for (let index = 0; index < positions.length; index++) {
    const position = positions[index];
    if (position !== undefined && state.prices.marks[position.instrument] !== undefined)
      judgeDistance(watch, position, bounds);
  }
  judgePortfolio(watch, value, bounds);
  if (state.openEpisodes === 0) return;
  for (const key in state.episodes) {
    const episode = state.episodes[key];
    const instrument = episode?.instrument ?? null;
    if (episode && instrument !== null && state.portfolio?.positions[instrument] === undefined) {
      noteCleared(watch, episode, true);
    }
  }
  settle(watch);
}

function judgePortfolio(watch: Watch, value: Readonly<Figures>, bounds: LimitsConfig): void {
  const { leverage, drawdown, dayDrawdown, grossExposure } = value;
  if (judge(watch, 'leverage', leverage, bounds.max_leverage)) {
    const message = `Leverage is ${above(leverage, bounds.max_leverage)}, above ${bounds.max_leverage}.`;
    alert(watch, { ...critical('leverage', leverage, bounds.max_leverage), message });
  }
  if (judge(watch, 'drawdown', drawdown, bounds.drawdown_total)) {
    const message = `The portfolio is ${percentAbove(drawdown, bounds.drawdown_total)} below its peak, more than ${percent(bounds.drawdown_total)}.`;
    alert(watch, { ...critical('drawdown', drawdown, bounds.drawdown_total), message });
  }
  if (judge(watch, 'daily_loss', dayDrawdown, bounds.drawdown_day)) {
    const message = `The day has cost ${percentAbove(dayDrawdown, bounds.drawdown_day)}, more than ${percent(bounds.drawdown_day)}.`;
    alert(watch, { ...critical('daily_loss', dayDrawdown, bounds.drawdown_day), message });
  }
  if (judge(watch, 'exposure', grossExposure, bounds.gross_exposure)) {
    const message = `Gross exposure is ${above(grossExposure, bounds.gross_exposure)}, above ${bounds.gross_exposure}.`;
    const about = critical('exposure', grossExposure, bounds.gross_exposure);
    alert(watch, { ...about, severity: 'WARNING', action: 'reduce_positions', message });
  }
}

type PortfolioViolation = 'leverage' | 'drawdown' | 'daily_loss' | 'exposure';

/** Made once: every price asks for them. */
const aboutPortfolio = (violation: PortfolioViolation) => ({
  key: episodeKey(violation, WHOLE_PORTFOLIO),
  about: { violation, ...WHOLE_PORTFOLIO },
});

const ABOUT = {
  leverage: aboutPortfolio('leverage'),
  drawdown: aboutPortfolio('drawdown'),
  daily_loss: aboutPortfolio('daily_loss'),
  exposure: aboutPortfolio('exposure'),
} as const;

function judge(watch: Watch, violation: PortfolioViolation, value: number, bound: number): boolean {
  if (value <= bound && watch.state.openEpisodes === 0) return false;
  const isCleared = value < bound * watch.config.clearShare;
  const { key, about } = ABOUT[violation];
  return follow(watch, key, about, { isBreached: value > bound, isCleared });
}

function critical(violation: PortfolioViolation, value: number, bound: number): Omit<Alert, 'message'> {
  return { violation, severity: 'CRITICAL', action: 'monitor', value, bound, ...WHOLE_PORTFOLIO };
}

/** A warning first, then the order to close by force; both once, until the distance is clear of the bound again. */
function judgeDistance(watch: Watch, position: PositionValue, bounds: LimitsConfig): void {
  const { config, state } = watch;
  const distance = position.distance ?? Number.POSITIVE_INFINITY;
  const { critical_distance: bound } = bounds;
  const warningBound = Math.max(config.warningDistance, bound);
  if (distance >= warningBound && state.openEpisodes === 0) return;
  const { token, instrument, mark, liquidationPrice } = position;
  const about = { violation: 'liquidation_risk', token, instrument } as const;
  const isCritical = distance < bound;
  const warns = follow(watch, episodeKey('liquidation_risk', about), about, {
    isBreached: distance < warningBound,
    isCleared: distance > warningBound / config.clearShare,
  });
  if (warns) {
    const message = `${instrument} is ${percent(distance)} from liquidation.`;
    const severity = isCritical ? 'CRITICAL' : 'WARNING';
    const action = isCritical ? 'close_positions' : 'monitor';
    alert(watch, { ...about, severity, action, value: distance, bound: isCritical ? bound : warningBound, message });
  }
  const isCalled = follow(watch, episodeKey('critical', about), about, {
    isBreached: isCritical,
    isCleared: distance > bound / config.clearShare,
  });
  if (isCalled && liquidationPrice !== null)
    sayCritical(watch, { token, instrument, mark, liquidationPrice, distance, bound });
}

interface CriticalPosition {
  token: string;
  instrument: string;
  mark: number;
  liquidationPrice: number;
  distance: number;
  bound: number;
}

function sayCritical({ out }: Watch, position: CriticalPosition): void {
  const { token, instrument, mark, liquidationPrice, distance, bound } = position;
  out.emit('risk.critical', {
    portfolio: out.key,
    token,
    instrument,
    violation_type: 'liquidation_risk',
    action_required: 'force_close',
    distance: num15(distance),
    bound,
    markPrice: num15(mark),
    liquidationPrice: num15(liquidationPrice),
    message: `${instrument} is ${percent(distance)} from liquidation, under ${percent(bound)}: close by force.`,
    timestamp: out.now,
  });
}

/** A margin call of the venue is as critical as it gets, whatever the own figures say. */
export function onMarginCall(watch: Watch, named: string | undefined): void {
  const { state } = watch;
  const value = valueNow(watch);
  if (value === null || state.bounds === null) return;
  const position = value.positions.find(({ instrument }) => instrument === named) ?? nearest(value.positions);
  if (position === undefined) return;
  const { token, instrument, mark, liquidationPrice, distance } = position;
  const about = { violation: 'liquidation_risk', token, instrument } as const;
  const standing = { isBreached: true, isCleared: false };
  const bound = state.bounds.critical_distance;
  if (follow(watch, episodeKey('liquidation_risk', about), about, standing)) {
    const message = `The venue calls for margin; ${instrument} is nearest to liquidation.`;
    alert(watch, { ...about, severity: 'CRITICAL', action: 'close_positions', value: distance ?? 0, bound, message });
  }
  const isCalled = follow(watch, episodeKey('critical', about), about, standing);
  if (isCalled && liquidationPrice !== null && distance !== null) {
    sayCritical(watch, { token, instrument, mark, liquidationPrice, distance, bound });
  }
}

function nearest(positions: readonly PositionValue[]): PositionValue | undefined {
  let found: PositionValue | undefined;
  for (const position of positions) {
    if (position.distance === null) continue;
    if (found === undefined || position.distance < (found.distance ?? Number.POSITIVE_INFINITY)) found = position;
  }
  return found ?? positions[0];
}

/**
 * Judges a price move of one instrument in which a position is held (US1-1).
 *
 * @param move largest move within the window, as a fraction; above zero = up
 */
export function judgeMove(watch: Watch, instrument: string, move: number): void {
  const { config, state } = watch;
  const bound = config.moveThreshold;
  const size = Math.abs(move);
  if (size <= bound && state.openEpisodes === 0) return;
  const position = state.portfolio?.positions[instrument];
  if (position === undefined) return;
  const about = { violation: 'price_move', token: position.token, instrument } as const;
  const isNew = follow(watch, episodeKey('price_move', about), about, {
    isBreached: size > bound,
    isCleared: size < bound * config.clearShare,
  });
  if (!isNew) return;
  const isAdverse = position.quantity.startsWith('-') === move > 0;
  const direction = move > 0 ? 'risen' : 'fallen';
  const message =
    `${instrument} has ${direction} ${percent(size)} within ${config.moveWindowMs / 1_000} s, ` +
    `${isAdverse ? 'against' : 'with'} the position.`;
  alert(watch, {
    ...about,
    severity: isAdverse ? 'CRITICAL' : 'WARNING',
    action: 'monitor',
    value: move,
    bound,
    message,
  });
}
