import { add, type Decimal } from '../money';
import { outcomeOf, openGrossPnl, openPnl, cut, total, type Outcome, type WhyAt } from './trade-figures';
import type { ClosedTrade, OpenPosition, TradeOrigin } from './recording';

/** The part of a token or a side in the result; over all rows each amount sums to the portfolio's, exactly. */
export interface SplitRow extends Outcome {
  /** The token, or `long` or `short`. */
  key: string;
  /** Closed trades and open positions, before fees and funding. */
  grossPnl: Decimal;
  fees: Decimal;
  /** Received; negative = paid. */
  funding: Decimal;
  /** Of closed trades and of what is still held, after fees and funding; `pnl` is their sum. */
  closedPnl: Decimal;
  openPnl: Decimal;
  pnl: Decimal;
}

interface Booked {
  trades: readonly ClosedTrade[];
  open: readonly OpenPosition[];
}

/** One row a token that was traded, in alphabetical order. */
export function splitByToken({ trades, open }: Booked, whyAt: WhyAt): SplitRow[] {
  const tokens = [...new Set([...trades, ...open].map(({ token }) => token))].sort();
  return tokens.map((key, index) => rowOf(key, { trades, open }, (one) => one.token === key, at(whyAt, index)));
}

/** Always two rows, long and short. */
export function splitBySide({ trades, open }: Booked, whyAt: WhyAt): SplitRow[] {
  return ['long', 'short'].map((key, index) =>
    rowOf(key, { trades, open }, (one) => one.side === key, at(whyAt, index)),
  );
}

function at(whyAt: WhyAt, index: number): WhyAt {
  return (field) => whyAt(`[${index}].${field}`);
}

function rowOf(
  key: string,
  booked: Booked,
  belongs: (one: ClosedTrade | OpenPosition) => boolean,
  whyAt: WhyAt,
): SplitRow {
  const trades = booked.trades.filter(belongs);
  const open = booked.open.filter(belongs);
  const closedPnl = total(trades.map(({ netPnl }) => netPnl));
  const held = total(open.map(openPnl));
  return {
    key,
    ...outcomeOf(trades, whyAt),
    grossPnl: add(total(trades.map(({ grossPnl }) => grossPnl)), total(open.map(openGrossPnl))),
    fees: total([...trades, ...open].map(({ fees }) => fees)),
    funding: total([...trades, ...open].map(({ funding }) => funding)),
    closedPnl,
    openPnl: held,
    pnl: add(closedPnl, held),
  };
}

/** What one agent's votes contributed. A trade's result is cut by the shares of those who spoke for opening it. */
export interface AgentRow {
  /** null: no agent spoke for it (operator, force close, initial position …). */
  agent: string | null;
  /** Closed trades it had a part in, and those of them that won and lost. */
  trades: number;
  wins: number;
  losses: number;
  winRate: number | null;
  /** Sum of its shares: the trades it answers for. */
  weight: number;
  closedPnl: Decimal;
  openPnl: Decimal;
  pnl: Decimal;
}

interface AgentSums {
  parts: ClosedTrade[];
  weight: number;
  closedPnl: Decimal;
  openPnl: Decimal;
}

/** One row an agent in alphabetical order, what belongs to none last; amounts sum to the portfolio's, exactly. */
export function splitByAgent({ trades, open }: Booked, whyAt: WhyAt): AgentRow[] {
  const agents = new Map<string | null, AgentSums>();
  const sumsOf = (agent: string | null) => {
    const known = agents.get(agent) ?? { parts: [], weight: 0, closedPnl: '0', openPnl: '0' };
    agents.set(agent, known);
    return known;
  };
  for (const trade of trades) {
    for (const { agent, share, amount } of partsOf(trade.entry, trade.netPnl)) {
      const sums = sumsOf(agent);
      sums.parts.push(trade);
      sums.weight += share;
      sums.closedPnl = add(sums.closedPnl, amount);
    }
  }
  for (const position of open) {
    for (const { agent, amount } of partsOf(position.entry, openPnl(position))) {
      const sums = sumsOf(agent);
      sums.openPnl = add(sums.openPnl, amount);
    }
  }
  const order = [...agents.keys()].sort((a, b) => (a === null ? 1 : b === null ? -1 : a < b ? -1 : 1));
  if (agents.has(null)) whyAt(`[${order.length - 1}].agent`)('No agent spoke for opening it.');
  return order.map((agent, index) => agentRow(agent, sumsOf(agent), at(whyAt, index)));
}

function agentRow(
  agent: string | null,
  { parts, weight, closedPnl, openPnl: held }: AgentSums,
  whyAt: WhyAt,
): AgentRow {
  const { trades, wins, losses, winRate } = outcomeOf(parts, (field) => (field === 'winRate' ? whyAt(field) : ignored));
  return { agent, trades, wins, losses, winRate, weight, closedPnl, openPnl: held, pnl: add(closedPnl, held) };
}

/** An agent's row has no profit factor: a reason for one would hang in the air. */
const ignored = (_reason: string) => undefined;

function partsOf(origin: TradeOrigin | undefined, amount: Decimal) {
  const agents = origin?.agents ?? [];
  const shares = agents.map(({ share }) => share);
  const parts = cut(amount, shares);
  if (parts.length === 0) return [{ agent: null, share: 1, amount }];
  const whole = shares.reduce((a, b) => a + b, 0);
  return parts.map((part, index) => ({
    agent: agents[index]?.agent ?? null,
    share: (shares[index] ?? 0) / whole,
    amount: part,
  }));
}
