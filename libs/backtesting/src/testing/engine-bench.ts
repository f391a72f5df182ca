import { createVenueEngine, type PartialVenueConfig, type VenueEngine } from '../venue';
import type { AccountSpec, VenueReport } from '@moon/kernel';
import { paperDesk, T0, TEST_KEY, type OrderDraft } from './venue-desk';

export const SPOT = 'BTCUSDT.BINANCE-SPOT';
export const PERP = 'BTC.HYPERLIQUID';
export const ETH = 'ETH.HYPERLIQUID';

/** An engine with one account `main` that may trade spot without any bound, for given/when/then specs. */
export function bench(config: PartialVenueConfig = {}, spec: Partial<AccountSpec> = {}) {
  const engine = createVenueEngine({ fees: { takerBps: 5, makerBps: 1 }, ...config });
  const desk = paperDesk();
  const account: AccountSpec = {
    portfolio: 'main',
    accountModel: 'cash-short-credit',
    settlementAsset: 'USDT',
    deposit: '1000000',
    leverage: { [SPOT]: 1 },
    signingKey: TEST_KEY,
    openedAt: T0,
    ...spec,
  };
  engine.openAccount(account);
  return {
    engine,
    desk,
    account,
    submit: (instrument: string, side: 'buy' | 'sell', quantity: string, draft: OrderDraft = {}): VenueReport[] =>
      engine.submit(desk.order(instrument, side, quantity, draft)),
  };
}

/** A margin account in USDC, by default cross, at 10× in BTC and ETH. */
export const margin = (spec: Partial<AccountSpec> = {}): Partial<AccountSpec> => ({
  accountModel: 'margin',
  settlementAsset: 'USDC',
  deposit: '10000',
  leverage: { [PERP]: 10, [ETH]: 10 },
  ...spec,
});

/** Kind, code and, for fills, quantity@price of each report. */
export const brief = (reports: readonly VenueReport[]): string[] =>
  reports.map(({ kind, code, quantity, price, liquidity }) => {
    if (kind === 'filled') return `${liquidity ?? ''} ${quantity ?? ''}@${price ?? ''}`;
    if (kind === 'liquidation') return `liquidation ${code ?? ''} ${quantity ?? ''}@${price ?? ''}`;
    return code === undefined ? kind : `${kind} ${code}`;
  });

/** What an engine has left to tell. */
export const rest = (engine: VenueEngine, until: number): string[] => brief(engine.advanceTo(T0 + until));
