// A worked example of an agent of your own: the reference run's rule, SMA 20/50 flip. Copy it to any folder, give it your
// rule, and name it in a backtest's configuration:
//
//   "strategies": [{ "path": "../my-agents/sma-flip.ts", "weight": 1, "config": { "fast": 20, "slow": 50 } }]
//
// README.md beside this file tells how to get the types, and what an agent may do.
import type { AnyEvent } from '@moon/events';
import type { Handler, Outbox } from '@moon/domain';

/** What this agent takes from the configuration. Whole numbers of observations. */
interface Config {
  fast: number;
  slow: number;
  /** What it watches: the closes of bars, or every last price. */
  on: 'bars' | 'ticks';
}

/** One for each token. Plain JSON: it is copied, stored and hashed. */
interface State {
  /** The last `slow` prices in hundredths, a ring: the newest stands before `next`. */
  prices: number[];
  next: number;
  fastSum: number;
  slowSum: number;
  /** The side that the averages are on: 1, −1, or 0 as long as that is not known. */
  side: number;
}

/**
 * An agent's module exports `createAgents`. The same module runs live and in backtests: nothing in it knows which.
 *
 * @param given  `config` of the strategy's entry
 * @param about  the name that it was loaded under; its signals carry that name, and the consensus knows its vote by it
 */
export function createAgents(given: Partial<Config>, { name }: { name: string }): Handler<State>[] {
  const config: Config = { fast: 20, slow: 50, on: 'bars', ...given };
  if (!(config.fast >= 1 && config.slow > config.fast)) {
    throw new Error(
      `fast is ${config.fast} and slow is ${config.slow}; expected are whole numbers with 1 <= fast < slow.`,
    );
  }
  return [
    {
      name: `agent/${name}`,
      role: 'agent',
      // A state for each token; events go to the state of their token.
      partitionedBy: 'token',
      consumes: [config.on === 'bars' ? 'bar.closed' : 'price.tick'],
      initialState: () => ({ prices: [], next: 0, fastSum: 0, slowSum: 0, side: 0 }),
      handle: (event, state, out) => {
        const price = priceOf(event);
        if (price !== null && flips(config, state, price)) say(name, event, state, out);
      },
    },
  ];
}

/** The observed price in hundredths; null when the event holds none. */
function priceOf(event: AnyEvent): number | null {
  // Money is counted in whole hundredths: sums of doubles would lose the ties.
  if (event.type === 'bar.closed') return Math.round(event.data.close * 100);
  if (event.type === 'price.tick' && event.data.kind === 'last') return Math.round(event.data.price * 100);
  return null;
}

/**
 * Takes one price in. The averages are compared as whole numbers: fastSum / fast > slowSum / slow exactly when
 * slow × fastSum > fast × slowSum.
 *
 * @returns whether the fast average has just crossed the slow one
 */
function flips({ fast, slow }: Config, state: State, price: number): boolean {
  const { prices, next } = state;
  const isFull = prices.length === slow;
  const leavesFast = prices.length >= fast ? prices[(next + slow - fast) % slow]! : 0;
  const leavesSlow = isFull ? prices[next]! : 0;
  state.fastSum += price - leavesFast;
  state.slowSum += price - leavesSlow;
  prices[next] = price;
  state.next = (next + 1) % slow;
  if (prices.length < slow) return false;
  const side = Math.sign(slow * state.fastSum - fast * state.slowSum);
  // A tie keeps the side; the first side that is known is only remembered.
  if (side === 0 || side === state.side) return false;
  const isFirst = state.side === 0;
  state.side = side;
  return !isFirst;
}

/** An opinion is all that an agent gives. Consensus, limits and sizing decide what becomes of it. */
function say(name: string, event: AnyEvent, { side }: State, out: Outbox): void {
  // Warm-up events come from before the range of the run: they fill the averages, and nothing is said on them.
  if (event.headers?.warmup === true) return;
  out.emit('signal.generated', {
    token: out.key,
    action: side > 0 ? 'BUY' : 'SELL',
    score: 100,
    confidence: 1,
    agent: name,
    reason: `The fast average crossed ${side > 0 ? 'above' : 'below'} the slow one.`,
    timestamp: out.now,
  });
}
