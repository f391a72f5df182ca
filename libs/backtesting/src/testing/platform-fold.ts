import {
  decideFill,
  decideFunding,
  decideInitialPosition,
  decideLiquidation,
  decideOpen,
  evolvePortfolio,
  findInstrument,
  isRefused,
  neg,
  type Decision,
  type Instrument,
  type PortfolioState,
} from '@moon/domain';
import { validateData, type EventType } from '@moon/events';
import type { AccountSpec, VenueReport } from '@moon/kernel';

/** The platform's ledger over a venue's reports: what its fold makes of them, to be compared with the venue's own books. */
export class PlatformFold {
  state: PortfolioState | undefined;
  private fills = 0;

  constructor(spec: AccountSpec) {
    const {
      portfolio,
      accountModel,
      marginMode,
      settlementAsset,
      ledgerScale = 12,
      leverage,
      openedAt: timestamp,
    } = spec;
    this.book(
      decideOpen(undefined, {
        portfolio,
        accountModel,
        ...(accountModel === 'margin' ? { marginMode: marginMode ?? 'cross' } : {}),
        settlementAsset,
        ledgerScale,
        instruments: Object.entries(leverage).map(([id, value]) => ({
          instrument: id,
          leverage: value,
          priceSource: id,
        })),
        subscriptions: { consensus: false, agents: [], instruments: [] },
        limits: {},
        sizing: { mode: 'target', quantity: '1' },
        timestamp,
      }),
    );
    const { state } = this;
    if (!state) throw new Error('The portfolio was not opened.');
    this.state = evolvePortfolio(state, {
      type: 'portfolio.deposited',
      data: { portfolio, amount: spec.deposit, asset: settlementAsset, timestamp },
    });
    for (const position of spec.positions ?? []) {
      const { token } = instrumentOf(position.instrument);
      this.book(decideInitialPosition(this.portfolio, { ...position, token, timestamp }));
    }
  }

  get portfolio(): PortfolioState {
    if (!this.state) throw new Error('The portfolio is not open.');
    return this.state;
  }

  take(reports: readonly VenueReport[]): void {
    for (const report of reports) this.takeOne(report);
  }

  private takeOne(report: VenueReport): void {
    // What the venue says must pass the contract, or the platform would refuse it at its door.
    validateData('venue.report', { event_type: 'venue.report', ...report });
    if (report.kind !== 'filled' && report.kind !== 'liquidation' && report.kind !== 'funding') return;
    const { instrument: id = '', token = '', side = 'buy', price = '', quantity = '', timestamp } = report;
    const instrument = instrumentOf(id);
    if (report.kind === 'funding') {
      const { settlesAt = 0, rate = 0 } = report;
      const positionQuantity = side === 'buy' ? quantity : neg(quantity);
      // The amount is left out: the platform computes it by its own formula.
      const settlement = { token, instrument: id, settlesAt, rate, oraclePrice: price, timestamp, positionQuantity };
      return this.book(decideFunding(this.portfolio, settlement, instrument));
    }
    this.fills += 1;
    const { fillId = '', fee = '0', feeAsset = '' } = report;
    const order_id = report.order_id ?? `liquidation-${this.fills}`;
    const fill = { order_id, fillId, token, instrument: id, side, price, quantity, fee, feeAsset, timestamp };
    this.book(
      report.kind === 'filled'
        ? decideFill(this.portfolio, fill, instrument)
        : decideLiquidation(this.portfolio, fill, instrument),
    );
  }

  private book<T extends EventType>(decision: Decision<T>): void {
    if (isRefused(decision)) throw new Error(`The platform refused: ${decision.refused.message}`);
    for (const event of decision.events) this.state = evolvePortfolio(this.state, event);
  }
}

function instrumentOf(id: string): Instrument {
  const instrument = findInstrument(id);
  if (!instrument) throw new Error(`${id} is unknown.`);
  return instrument;
}
