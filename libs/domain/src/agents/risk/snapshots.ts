import type { EventData } from '@moon/events';
import { cmp, neg } from '../../money';
import type { PortfolioState } from '../../portfolio';
import { valueNow } from './assess';
import { alert, callOff, episodeKey, follow, percent, WHOLE_PORTFOLIO, type Watch } from './episodes';
import type { RecentBooks, RiskAgentState } from './state';

type Snapshot = EventData<'state.snapshot'>;

/** Books kept: a snapshot that was taken before the latest changes is compared with those of its own time. */
const KEPT_BOOKS = 16;
const ABOUT = { violation: 'state_mismatch', ...WHOLE_PORTFOLIO } as const;
const KEY = episodeKey('state_mismatch', WHOLE_PORTFOLIO);

/** Remembers the books after a change at event time `at`, ms. */
export function rememberBooks(state: RiskAgentState, portfolio: PortfolioState, at: number): void {
  const quantities: RecentBooks['quantities'] = {};
  for (const instrument in portfolio.positions)
    quantities[instrument] = portfolio.positions[instrument]?.quantity ?? '0';
  state.recent.push({ at, cash: portfolio.cash, quantities });
  if (state.recent.length > KEPT_BOOKS) state.recent.shift();
}

/**
 * Compares a snapshot with the own view (RSK-6): cash and every position's quantity exactly, with the books of the
 * snapshot's time or since; the equity within a tolerance, when no price has come since. A difference is reported
 * once, until a snapshot agrees again.
 */
export function onSnapshot(watch: Watch, snapshot: Snapshot): void {
  const { state } = watch;
  const latest = state.recent[state.recent.length - 1];
  if (state.portfolio === null || latest === undefined) return;
  const candidates = state.recent.filter((_, index) => {
    const next = state.recent[index + 1];
    return next === undefined || next.at >= snapshot.timestamp;
  });
  const found = candidates.map((books) => differences(books, snapshot));
  const isSame = found.some((texts) => texts.length === 0);
  const isNewest = differences(latest, snapshot).length === 0;
  const texts = isSame ? (isNewest ? equityDiffers(watch, snapshot) : []) : (found[found.length - 1] ?? []);
  if (texts.length === 0) return callOff(watch, KEY);
  if (!follow(watch, KEY, ABOUT, { isBreached: true, isCleared: false })) return;
  alert(watch, {
    ...ABOUT,
    severity: 'WARNING',
    action: 'monitor',
    value: texts.length,
    bound: 0,
    message: `The snapshot differs from the risk agent's own view: ${texts.join('; ')}.`.slice(0, 4_000),
  });
}

function differences(books: RecentBooks, snapshot: Snapshot): string[] {
  const texts: string[] = [];
  if (cmp(books.cash, snapshot.cash) !== 0) texts.push(`cash ${snapshot.cash} instead of ${books.cash}`);
  const instruments = new Set([...Object.keys(books.quantities), ...Object.keys(snapshot.positions)]);
  for (const instrument of [...instruments].sort()) {
    const own = books.quantities[instrument] ?? '0';
    const view = snapshot.positions[instrument];
    const theirs = view === undefined ? '0' : view.side === 'long' ? view.quantity : neg(view.quantity);
    if (cmp(own, theirs) !== 0) texts.push(`${instrument} ${theirs} instead of ${own}`);
  }
  return texts;
}

function equityDiffers(watch: Watch, snapshot: Snapshot): string[] {
  const { config, state } = watch;
  if (state.pricedAt > snapshot.timestamp) return [];
  const own = valueNow(watch)?.equity ?? 0;
  const difference = Math.abs(snapshot.equity - own) / Math.max(Math.abs(own), 1);
  return difference > config.mismatchTolerance ? [`equity differs by ${percent(difference)}`] : [];
}
