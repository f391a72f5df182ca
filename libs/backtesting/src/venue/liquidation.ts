import {
  abs,
  add,
  cmp,
  div,
  fromNumber,
  ledger,
  mul,
  neg,
  roundQuantityDown,
  sub,
  toNumber,
  type Decimal,
} from '@moon/domain';
import { schedule } from './agenda';
import { averageOver } from './book';
import { updateHolder, type Desk, type VenueContext } from './context';
import { feeRate } from './fee-volume';
import { adversePrice } from './fills';
import { bookFill, feeOf } from './ledger';
import { exposuresOf, valueOf, type Exposure, type MarkOverride } from './margin';
import { finish } from './order-life';
import { takerPrice, usableBook } from './prices';
import { reportAccount } from './reports';
import type { AccountState, MarginWatch } from './state';

/** Places of a price at which the backstop takes a position: it need not be on a tick. */
const BACKSTOP_PLACES = 18;

/**
 * Judges a margin account at the marks and does what HyperLiquid does (docs, trading/liquidations):
 * equity < maintenance: the position is closed by a market order; one above 100,000 first by a fifth, the rest after
 * 30 s if it is still needed. Equity < 2/3 of maintenance: the backstop takes position and remaining margin, i.e. the
 * position is closed at the price at which nothing is left, without a fee. A liquidation at market pays the taker's fee and
 * what the venue charges for it besides (models/liquidation-fee; HyperLiquid: nothing).
 *
 * Cross: all positions stand for one another, with the account's whole cash. Isolated: each by itself, with its margin.
 */
export function judge(context: VenueContext, account: AccountState, override: MarkOverride | null = null): void {
  if (account.accountModel !== 'margin') return;
  const exposures = exposuresOf(context, account, override);
  if (account.marginMode === 'isolated') {
    for (const exposure of exposures) {
      judgeTogether(context, account, exposure.position.instrument, {
        exposures: [exposure],
        equity: exposure.margin + exposure.unrealised,
      });
    }
  } else if (exposures.length > 0) {
    let equity = toNumber(account.cash);
    for (const exposure of exposures) equity += exposure.unrealised;
    judgeTogether(context, account, '*', { exposures, equity });
  }
}

/** Positions that stand for one another, and what they have. */
interface Unit {
  exposures: Exposure[];
  equity: number;
}

function judgeTogether(context: VenueContext, account: AccountState, key: string, unit: Unit): void {
  let maintenance = 0;
  for (const exposure of unit.exposures) maintenance += exposure.maintenance;
  const watch = (account.watches[key] ??= { called: false, cooldownUntil: 0 });
  const { margin: rules } = context.config;
  if (unit.equity >= maintenance) {
    const isCalled = unit.equity * rules.callRatio <= maintenance;
    if (isCalled && !watch.called) callMargin(context, account, unit, { watch, maintenance });
    else if (unit.equity * rules.callClears > maintenance) account.watches[key] = { called: false, cooldownUntil: 0 };
    return;
  }
  if (!watch.called) callMargin(context, account, unit, { watch, maintenance });
  if (unit.equity < maintenance * rules.backstopShare) return backstop(context, account, key, unit);
  if (context.state.time < watch.cooldownUntil) return;
  liquidateAtMarket(context, account, key, { unit, watch });
}

function callMargin(
  context: VenueContext,
  account: AccountState,
  unit: Unit,
  at: { watch: MarginWatch; maintenance: number },
): void {
  at.watch.called = true;
  const [only] = unit.exposures;
  const where =
    unit.exposures.length === 1 && only
      ? { instrument: only.desk.instrument.id, token: only.desk.instrument.token }
      : {};
  reportAccount(context, account, {
    kind: 'margin_call',
    ...where,
    amount: fromNumber(round(unit.equity)),
    message: `Equity of ${round(unit.equity)} against a maintenance margin of ${round(at.maintenance)}.`,
  });
}

function liquidateAtMarket(
  context: VenueContext,
  account: AccountState,
  key: string,
  at: { unit: Unit; watch: MarginWatch },
): void {
  const { margin: rules } = context.config;
  const { watch } = at;
  const isFirst = watch.cooldownUntil === 0;
  cancelOrders(context, account, key);
  let isPartial = false;
  let { equity } = at.unit;
  for (const exposure of at.unit.exposures) {
    const { desk } = exposure;
    const whole = abs(exposure.position.quantity);
    let quantity = whole;
    if (isFirst && exposure.notional > rules.partialAbove) {
      const part = roundQuantityDown(desk.instrument, mul(whole, fromNumber(rules.partialShare)));
      if (part !== '0') quantity = part;
    }
    isPartial ||= cmp(quantity, whole) < 0;
    const side = exposure.quantity > 0 ? 'sell' : 'buy';
    const market = marketPrice(context, account, desk, { side, quantity });
    const { volume } = desk.market;
    const share = volume > 0 ? Math.min(1, toNumber(quantity) / volume) : 1;
    // A mark inside a bar is worse than the last price known: then it is the price that the order meets.
    const met =
      market === 0
        ? exposure.mark
        : side === 'sell'
          ? Math.min(market, exposure.mark)
          : Math.max(market, exposure.mark);
    const price = adversePrice(desk, side, context.models.slippage.price(met, side, share));
    const fill = { side, quantity, price } as const;
    const fee = feeOf(account, desk.instrument, fill, feeRate(context, account, desk.instrument, 'taker'));
    equity += valueOf(desk, exposure.quantity, toNumber(price)) - exposure.value - toNumber(fee);
    const extra = liquidationFee(context, account, desk, { ...fill, left: equity });
    equity -= toNumber(extra);
    close(context, account, exposure, { ...fill, fee: add(fee, extra), code: 'market' });
  }
  if (!isPartial) {
    delete account.watches[key];
    return;
  }
  watch.cooldownUntil = context.state.time + rules.cooldownMs;
  schedule(context.state, { at: watch.cooldownUntil, kind: 'judge', portfolio: account.portfolio });
}

/** What a forced order of this size meets: the average over the book's levels where one is fed. */
function marketPrice(
  context: VenueContext,
  account: AccountState,
  desk: Desk,
  order: { side: 'buy' | 'sell'; quantity: Decimal },
): number {
  const book = usableBook(context, desk.market);
  const wanted = { side: order.side, quantity: toNumber(order.quantity) };
  const average = book === null ? 0 : averageOver(account, desk.instrument.id, book, wanted);
  return average > 0 ? average : takerPrice(context, desk, order.side);
}

/** The venue's own fee for a liquidation (models/liquidation-fee), at most `left`. */
function liquidationFee(
  context: VenueContext,
  account: AccountState,
  desk: Desk,
  fill: { side: 'buy' | 'sell'; quantity: Decimal; price: Decimal; left: number },
): Decimal {
  const rate = context.models.liquidationFee.rate(desk.instrument);
  if (rate === '0' || fill.left <= 0) return '0';
  const whole = feeOf(account, desk.instrument, fill, rate);
  return toNumber(whole) <= fill.left ? whole : ledger(fromNumber(round(fill.left)), account.ledgerScale);
}

/** The backstop takes everything at the price that leaves nothing; should more than all be lost, the loss is not the account's. */
function backstop(context: VenueContext, account: AccountState, key: string, unit: Unit): void {
  cancelOrders(context, account, key);
  let notional = 0;
  for (const exposure of unit.exposures) notional += exposure.notional;
  unit.exposures.forEach((exposure, index) => {
    const isLast = index === unit.exposures.length - 1;
    // What is left is shared out by notional; the last position takes the rest, to the last place.
    const price = isLast
      ? priceThatLeaves(exposure, account.marginMode === 'isolated' ? exposure.position.margin : account.cash)
      : fromNumber(round(priceAt(exposure, exposure.value - (unit.equity * exposure.notional) / notional)));
    const side = exposure.quantity > 0 ? 'sell' : 'buy';
    const quantity = abs(exposure.position.quantity);
    close(context, account, exposure, { side, quantity, price, fee: '0', code: 'backstop' });
  });
  delete account.watches[key];
}

interface Closing {
  side: 'buy' | 'sell';
  quantity: Decimal;
  price: Decimal;
  fee: Decimal;
  code: 'market' | 'backstop';
}

function close(context: VenueContext, account: AccountState, exposure: Exposure, closing: Closing): void {
  const { code, ...fill } = closing;
  const { desk } = exposure;
  bookFill(account, desk.instrument, { ...fill, at: context.state.time });
  updateHolder(desk, account);
  account.fillCount += 1;
  reportAccount(context, account, {
    kind: 'liquidation',
    instrument: desk.instrument.id,
    token: desk.instrument.token,
    ...fill,
    feeAsset: account.settlementAsset,
    liquidity: 'taker',
    fillId: `${account.portfolio}-liquidation-${account.fillCount}`,
    code,
    message:
      code === 'market'
        ? `Liquidated by a market order at a mark of ${exposure.mark}.`
        : `Taken over by the backstop at a mark of ${exposure.mark}: nothing is left of its margin.`,
  });
}

function cancelOrders(context: VenueContext, account: AccountState, key: string): void {
  for (const { instrument, resting } of context.deskList) {
    if (key !== '*' && key !== instrument.id) continue;
    for (const order of resting.filter((candidate) => candidate.portfolio === account.portfolio)) {
      finish(context, account, order, { status: 'cancelled', code: 'liquidated' });
    }
  }
}

/** The price at which closing the position costs exactly `money`: value(price) = cost − money. */
function priceThatLeaves(exposure: Exposure, money: Decimal): Decimal {
  const { instrument } = exposure.desk;
  const { quantity, costBasis } = exposure.position;
  const value = sub(costBasis, money);
  const units = mul(quantity, instrument.multiplier);
  const isPossible = value !== '0' && toNumber(value) > 0 === toNumber(costBasis) > 0;
  if (!isPossible) return fromNumber(round(exposure.mark));
  return instrument.kind === 'inverse' ? div(neg(units), value, BACKSTOP_PLACES) : div(value, units, BACKSTOP_PLACES);
}

function priceAt(exposure: Exposure, value: number): number {
  const { desk, quantity, mark } = exposure;
  const units = quantity * desk.multiplier;
  const price = desk.instrument.kind === 'inverse' ? -units / value : value / units;
  return Number.isFinite(price) && price > 0 ? price : mark;
}

const round = (value: number): number => Number(value.toPrecision(15));
