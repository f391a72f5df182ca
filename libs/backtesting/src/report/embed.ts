import { isZero, type ClosedTrade, type PortfolioMetrics, type RecordedFill, type TradeOrigin } from '@moon/domain';
import type { BacktestReport, PortfolioReport } from './build-report';
import {
  ORIGIN_REASONS,
  type DecisionColumns,
  type EmbeddedPortfolio,
  type EmbeddedReport,
  type FillColumns,
  type OriginColumns,
  type TradeColumns,
} from './embedded';
import { IdPool, TextPool } from './id-pool';
import type { ConsensusDecision } from './report-input';

interface Pools {
  ids: IdPool;
  instruments: TextPool;
  agents: TextPool;
}

/** The report as the page carries it: columns and pools, a few hundred bytes a trade with its fills, orders and decision. */
export function embed(report: BacktestReport): EmbeddedReport {
  const pools: Pools = { ids: new IdPool(), instruments: new TextPool(), agents: new TextPool() };
  const portfolios = report.portfolios.map((portfolio) => embedPortfolio(portfolio, pools));
  const decisions = decisionColumns(report.decisions.kept, pools);
  const candles = report.candles.map((columns) => ({ ...columns, at: differences(columns.at) }));
  return {
    runId: report.run.id,
    uuids: pools.ids.base64(),
    names: pools.ids.names,
    instruments: pools.instruments.texts(),
    agents: pools.agents.texts(),
    candles,
    decisions,
    portfolios,
  };
}

/** Each number less the one before it; small where times rise evenly. */
export function differences(values: readonly number[]): number[] {
  return values.map((value, i) => value - (i === 0 ? 0 : values[i - 1]!));
}

/** More digits than a screen shows; a float64 printed in full takes up to seventeen. Small prices keep nine of theirs. */
function shown(value: number | string): number {
  const number = Number(value);
  return Math.abs(number) >= 1 ? Math.round(number * 1e4) / 1e4 : Number(number.toPrecision(9));
}
/** Shares and ratios that are only drawn. */
const drawn = (value: number | null): number | null => (value === null ? null : Number(value.toPrecision(6)));

function embedPortfolio({ recording, metrics }: PortfolioReport, pools: Pools): EmbeddedPortfolio {
  const { trades, fills, curve } = recording;
  return {
    name: recording.portfolio,
    asset: recording.settlementAsset,
    curve: {
      at: differences(curve.map(({ at }) => at)),
      equity: curve.map(({ equity }) => shown(equity)),
      benchmark: benchmarkOn(
        curve.map(({ at }) => at),
        metrics,
      ),
    },
    underwater: underwater({ recording, metrics }),
    rolling: rolling(metrics),
    histogram: histogram(metrics),
    weeks: {
      // A week that the run cuts is drawn where its Monday is, or its bar would touch the next one's.
      at: differences(metrics.byWeek.map(({ period }) => Date.parse(period))),
      pnl: metrics.byWeek.map(({ pnl }) => shown(pnl)),
    },
    trades: tradeColumns(trades, pools),
    fills: fillColumns(fills, pools),
  };
}

/** The benchmark closes once a day: its value stands at the last point of each day, and at the start. */
function benchmarkOn(times: readonly number[], { benchmark, startEquity }: PortfolioMetrics): (number | null)[] {
  if (benchmark === null) return times.map(() => null);
  const closes = new Map(benchmark.daily.map(({ day, equity }) => [day, equity]));
  const dayOf = (at: number) => Math.floor((at - 1) / 86_400_000) * 86_400_000;
  return times.map((at, i) => {
    if (i === 0) return shown(startEquity);
    const next = times[i + 1];
    if (next !== undefined && dayOf(next) === dayOf(at)) return null;
    const close = closes.get(dayOf(at));
    return close === undefined ? null : shown(close);
  });
}

/**
 * Depths below the running peak: along the curve, which knows the lows within days, or by daily closes where deposits or
 * withdrawals would look like profit and loss on the curve.
 */
function underwater({ recording, metrics }: PortfolioReport): { at: number[]; depth: number[] } {
  if (recording.days.some(({ flow }) => !isZero(flow))) {
    const known = metrics.daily.filter(({ underwater: depth }) => depth !== null);
    return {
      at: differences(known.map(({ day }) => day)),
      depth: known.map(({ underwater: depth }) => drawn(depth) ?? 0),
    };
  }
  let peak = Number(recording.startEquity);
  const depth = recording.curve.map(({ equity }) => {
    peak = Math.max(peak, equity);
    return peak > 0 ? (drawn((equity - peak) / peak) ?? 0) : 0;
  });
  return { at: differences(recording.curve.map(({ at }) => at)), depth };
}

function rolling({ daily, rollingSharpe }: PortfolioMetrics): EmbeddedPortfolio['rolling'] {
  const ratios = new Map(rollingSharpe.map(({ day, sharpe }) => [day, sharpe]));
  return {
    at: differences(daily.map(({ day }) => day)),
    sharpe: daily.map(({ day }) => drawn(ratios.get(day) ?? null)),
    exposure: daily.map(({ exposure }) => drawn(exposure) ?? 0),
  };
}

function histogram({ distribution }: PortfolioMetrics): EmbeddedPortfolio['histogram'] {
  const [first] = distribution;
  const counts = distribution.map(({ count }) => count);
  return first === undefined
    ? { from: 0, width: 1, counts }
    : { from: first.from, width: first.to - first.from, counts };
}

function tradeColumns(trades: readonly ClosedTrade[], pools: Pools): TradeColumns {
  return {
    id: trades.map(({ id }) => pools.ids.place(id)),
    instrument: trades.map(({ instrument }) => pools.instruments.place(instrument)),
    isLong: trades.map(({ side }) => (side === 'long' ? 1 : 0)),
    quantity: trades.map(({ quantity }) => shown(quantity)),
    openedAt: differences(trades.map(({ openedAt }) => openedAt)),
    heldMs: trades.map(({ openedAt, closedAt }) => closedAt - openedAt),
    entryPrice: trades.map(({ entryPrice }) => shown(entryPrice)),
    exitPrice: trades.map(({ exitPrice }) => shown(exitPrice)),
    grossPnl: trades.map(({ grossPnl }) => shown(grossPnl)),
    fees: trades.map(({ fees }) => shown(fees)),
    funding: trades.map(({ funding }) => shown(funding)),
    netPnl: trades.map(({ netPnl }) => shown(netPnl)),
    mae: trades.map(({ mae }) => shown(mae)),
    mfe: trades.map(({ mfe }) => shown(mfe)),
    entry: originColumns(
      trades.map(({ entry }) => entry),
      pools,
    ),
    exit: originColumns(
      trades.map(({ exit }) => exit),
      pools,
    ),
  };
}

function originColumns(origins: readonly TradeOrigin[], { ids, agents }: Pools): OriginColumns {
  return {
    event: origins.map(({ eventId }) => ids.place(eventId)),
    order: origins.map(({ orderId }) => ids.place(orderId)),
    decision: origins.map(({ decisionId }) => ids.place(decisionId)),
    reason: origins.map(({ reason }) => ORIGIN_REASONS.indexOf(reason)),
    agents: origins.map((origin) =>
      origin.agents.flatMap(({ agent, share }) => [agents.place(agent), Math.round(share * 1_000)]),
    ),
  };
}

function fillColumns(fills: readonly RecordedFill[], { ids, instruments }: Pools): FillColumns {
  return {
    id: fills.map(({ id }) => ids.place(id)),
    order: fills.map(({ orderId }) => ids.place(orderId)),
    at: differences(fills.map(({ at }) => at)),
    instrument: fills.map(({ instrument }) => instruments.place(instrument)),
    isBuy: fills.map(({ side }) => (side === 'buy' ? 1 : 0)),
    quantity: fills.map(({ quantity }) => shown(quantity)),
    price: fills.map(({ price }) => shown(price)),
    fee: fills.map(({ fee }) => shown(fee)),
    isMaker: fills.map(({ liquidity }) => (liquidity === 'maker' ? 1 : 0)),
    priceAgeMs: fills.map(({ at, priceStamp }) => at - priceStamp),
  };
}

const ACTIONS = { BUY: 1, SELL: 0, HOLD: -1 } as const;

function decisionColumns(decisions: readonly ConsensusDecision[], { ids, agents }: Pools): DecisionColumns {
  return {
    id: decisions.map(({ id }) => ids.place(id)),
    at: differences(decisions.map(({ at }) => at)),
    token: decisions.map(({ token }) => token),
    isApproved: decisions.map(({ outcome }) => (outcome === 'approved' ? 1 : 0)),
    isBuy: decisions.map(({ action }) => ACTIONS[action ?? 'HOLD']),
    score: decisions.map(({ score }) => drawn(score)),
    threshold: decisions.map(({ threshold }) => threshold),
    reason: decisions.map(({ reason }) => reason),
    votes: decisions.map(({ votes }) =>
      votes.flatMap(({ agent, action, confidence, score, weight, counted }) => [
        agents.place(agent),
        ACTIONS[action],
        drawn(confidence) ?? 0,
        drawn(score) ?? 0,
        weight,
        counted ? 1 : 0,
      ]),
    ),
  };
}
