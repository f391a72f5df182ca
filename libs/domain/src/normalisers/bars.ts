import { Type, type Static } from '@sinclair/typebox';
import type { AnyEvent, EventData } from '@moon/events';
import { completeConfig, isWarmup, type PartialConfig } from '../agent-kit';
import type { Handler, Outbox } from '../handler';
import { num15 } from '../money';

export const barBuilderConfigSchema = Type.Object(
  {
    intervalMs: Type.Integer({
      default: 60_000,
      minimum: 1_000,
      maximum: 86_400_000,
      description: 'Length of the bars built, in milliseconds.',
    }),
    silentIntervals: Type.Integer({
      default: 2,
      minimum: 1,
      maximum: 100,
      description: "Bars are built again when the feed's own have stayed away for this many intervals.",
    }),
    maxInstruments: Type.Integer({
      default: 100,
      minimum: 1,
      maximum: 10_000,
      description: 'Instruments followed per token; the one silent longest makes room.',
    }),
  },
  { additionalProperties: false, description: 'Bar builder: trades to one-minute bars where the feed has none.' },
);
export type BarBuilderConfig = Static<typeof barBuilderConfigSchema>;

interface FormingBar {
  openedAt: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

interface InstrumentBars {
  instrument: string;
  /** Intervals that open before this (epoch ms) give no bar: over, seen in part only, or the feed's own business. */
  from: number;
  forming: FormingBar | null;
  lastAt: number;
}

/** For one token. */
export interface BarBuilderState {
  instruments: InstrumentBars[];
}

type Tick = EventData<'price.tick'>;

/**
 * Builds bars (`derived: true`) from `price.tick` of kind `last`, for instruments whose feed sends no bars of this length.
 *
 * - `bar.opened` with the first trade of an interval, `bar.closed` at the interval's end: by a durable deadline, or by a
 *   trade of a later interval when that comes first. Volume = Σ size (base) of the trades that have one.
 * - An interval without a trade gives no bar: none is invented. Neither does the one in which the instrument was first
 *   seen, unless it was seen from its beginning. A trade of an interval that is over changes nothing.
 * - A bar of the feed itself stops the building for its instrument, until the feed's bars have stayed away for
 *   `silentIntervals`. Warm-up bars do not: they come from another source of the same instrument.
 */
export function createBarBuilder(given: PartialConfig<BarBuilderConfig> = {}): Handler<BarBuilderState> {
  const config = completeConfig('bar builder', barBuilderConfigSchema, given);
  return {
    name: 'normaliser/bars',
    role: 'normaliser',
    partitionedBy: 'token',
    consumes: ['price.tick', 'bar.opened', 'bar.closed'],
    initialState: () => ({ instruments: [] }),
    handle: (event, state, out) => handle(event, state, out, config),
  };
}

function handle(event: AnyEvent, state: BarBuilderState, out: Outbox, config: BarBuilderConfig): void {
  switch (event.type) {
    case 'price.tick':
      if (event.data.kind === 'last') takeTrade(event.data, state, out, config);
      return;
    case 'bar.opened':
    case 'bar.closed':
      if (event.data.derived !== true && event.data.intervalMs === config.intervalMs && !isWarmup(event)) {
        standBack(event.data.instrument, state, out, config);
      }
      return;
    case 'deadline.reached': {
      const bars = state.instruments.find((one) => one.instrument === event.data.data.instrument);
      if (bars != null && bars.forming !== null) close(bars, bars.forming, out, config);
      return;
    }
    default:
      return;
  }
}

function takeTrade(tick: Tick, state: BarBuilderState, out: Outbox, config: BarBuilderConfig): void {
  const { token, instrument, price, timestamp } = tick;
  const openedAt = timestamp - (timestamp % config.intervalMs);
  const bars = follow(instrument, state, out, {
    from: openedAt === timestamp ? openedAt : openedAt + config.intervalMs,
    config,
  });
  bars.lastAt = out.now;
  if (bars.forming !== null && bars.forming.openedAt < openedAt) {
    out.cancel(deadlineOf(instrument));
    close(bars, bars.forming, out, config);
  }
  if (openedAt < bars.from) return;
  const size = tick.size ?? 0;
  const forming = bars.forming;
  if (forming === null) {
    bars.forming = { openedAt, open: price, high: price, low: price, close: price, volume: size };
    bars.from = openedAt;
    out.emit('bar.opened', {
      token,
      instrument,
      intervalMs: config.intervalMs,
      open: price,
      timestamp: openedAt,
      derived: true,
    });
    out.schedule(deadlineOf(instrument), openedAt + config.intervalMs, { instrument });
    return;
  }
  forming.high = Math.max(forming.high, price);
  forming.low = Math.min(forming.low, price);
  forming.close = price;
  forming.volume += size;
}

/** The instrument's entry; a new one gives no bar before `from`. */
function follow(
  instrument: string,
  state: BarBuilderState,
  out: Outbox,
  { from, config }: { from: number; config: BarBuilderConfig },
): InstrumentBars {
  const known = state.instruments.find((one) => one.instrument === instrument);
  if (known !== undefined) return known;
  if (state.instruments.length >= config.maxInstruments) forgetOldest(state, out);
  const bars = { instrument, from, forming: null, lastAt: out.now };
  state.instruments.push(bars);
  return bars;
}

function forgetOldest(state: BarBuilderState, out: Outbox): void {
  const oldest = state.instruments.reduce((best, one) => (one.lastAt < best.lastAt ? one : best));
  out.cancel(deadlineOf(oldest.instrument));
  state.instruments.splice(state.instruments.indexOf(oldest), 1);
}

/** The feed has bars of its own: what is forming is dropped, and nothing is built until they have stayed away. */
function standBack(instrument: string, state: BarBuilderState, out: Outbox, config: BarBuilderConfig): void {
  const from = out.now - (out.now % config.intervalMs) + config.silentIntervals * config.intervalMs;
  const bars = follow(instrument, state, out, { from, config });
  bars.lastAt = out.now;
  bars.from = Math.max(bars.from, from);
  if (bars.forming === null) return;
  bars.forming = null;
  out.cancel(deadlineOf(instrument));
}

function close(bars: InstrumentBars, bar: FormingBar, out: Outbox, config: BarBuilderConfig): void {
  const timestamp = bar.openedAt + config.intervalMs;
  bars.forming = null;
  bars.from = timestamp;
  out.emit('bar.closed', {
    token: out.key,
    instrument: bars.instrument,
    intervalMs: config.intervalMs,
    open: bar.open,
    high: bar.high,
    low: bar.low,
    close: bar.close,
    volume: num15(bar.volume),
    timestamp,
    openedAt: bar.openedAt,
    derived: true,
  });
}

const deadlineOf = (instrument: string): string => `close ${instrument}`;
