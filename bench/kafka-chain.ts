import type { BenchFigure, BenchOptions, BenchSize } from './figure';
import { runChain, type ChainRun } from './support/chain-run';
import { latencyFigures, loadFigure, plainFigure } from './support/latency-figures';
import type { Watched } from './support/process-watch';

/**
 * The platform as processes (recorder, execution, agents, venue) on three brokers and PostgreSQL with a synchronous standby,
 * under the synthetic market at a rate of ticks. Its clock runs faster than the wall's to reach the rate; so do the waits that
 * belong to the market's time: the model's answers and the window of a consensus.
 * Where a figure begins: the feed's call to the publisher, or the stamp of the record on the broker (set by its producer when it
 * builds the request); in a chain that waits for the end of a bar, the moment at which that time came, and for comparison the
 * bar's first tick. Where it ends: the stamp of the last record. All are wall time of this machine, in ms. Orders are stored
 * first and relayed then: the stamp of `order.submitted` is later than its commit and its way to the venue, so those figures are
 * upper bounds. The document's bounds are printed beside, met or not.
 * From 500 ticks a second on, the clients' requests are spaced out (`sparing`): both cores are full then.
 * The brokers compile with C1 alone: for minutes C2 takes a tenth of two cores to make code that then costs no less here
 * (medians are the same, and p99s were three to six times as long).
 */
const BENCH = 'kafka-chain';
const RATE = 1_000;
const WARM_UP_MS = { short: 10_000, full: 20_000 };
const MEASURE_MS = { short: 20_000, full: 60_000 };
/** Moves that small are common: alerts enough for a p99. */
const ALERTING = { risk: { moveThreshold: 0.004, moveWindowMs: 60_000, clearAfterMs: 0 } };

export async function run(
  size: BenchSize = 'full',
  { rate = RATE, minutes, patience = 1, pace, spacing }: BenchOptions = {},
): Promise<BenchFigure[]> {
  const load = loadFigure(BENCH);
  const result = await runChain({
    ...(pace !== undefined && { pace }),
    ...(spacing !== undefined && { spacing }),
    ...{
      rate,
      seed: 1,
      execution: 1,
      agents: 1,
      allAgents: true,
      fast: true,
      patience,
      agentSettings: ALERTING,
      checkpointMs: 5_000,
    },
    warmUpMs: WARM_UP_MS[size],
    measureMs: minutes === undefined ? MEASURE_MS[size] : minutes * 60_000,
    say: (line) => process.stderr.write(`${line}\n`),
  });
  for (const finding of result.findings) process.stderr.write(`${finding}\n`);
  return [load, ...latencies(result), ...counts(result, rate), ...result.processes.flatMap(uses), loadFigure(BENCH)];
}

function latencies({ latencies: { acknowledged, alert, approval, root, order, placed } }: ChainRun): BenchFigure[] {
  return [
    ...latencyFigures({ bench: BENCH, metric: 'feed → acknowledged', values: acknowledged, bound: 15 }),
    ...latencyFigures({ bench: BENCH, metric: 'tick → risk.alert published', values: alert, bound: 50 }),
    ...latencyFigures({
      bench: BENCH,
      metric: 'tick, or end of its bar → order submitted, relayed',
      values: order,
      bound: 200,
    }),
    ...latencyFigures({ bench: BENCH, metric: 'first tick of the bar → order submitted, relayed', values: root }),
    ...latencyFigures({ bench: BENCH, metric: 'approval → order submitted, relayed', values: approval, bound: 100 }),
    ...latencyFigures({ bench: BENCH, metric: 'opening signal → placed, relayed', values: placed, bound: 200 }),
  ];
}

function counts({ rate, accepted, lost, doubled, reordered, stuck, crashes }: ChainRun, wanted: number): BenchFigure[] {
  return [
    { ...plainFigure(BENCH, 'ticks acknowledged', rate, 'ticks/s'), baseline: wanted, ratio: rate / wanted },
    plainFigure(BENCH, 'inputs accepted in all', accepted, 'events'),
    plainFigure(BENCH, 'lost: accepted or carried, not archived', lost, 'events'),
    plainFigure(BENCH, 'doubled', doubled, 'events'),
    plainFigure(BENCH, 'reordered', reordered, 'events'),
    plainFigure(BENCH, 'stuck', stuck, 'findings'),
    plainFigure(BENCH, 'processes that ended by themselves', crashes, 'ends'),
  ];
}

/** The baseline is what it was at the start: a ratio near 1 is flat. */
function uses({
  name,
  memoryStart,
  memoryEnd,
  heapStart,
  heapEnd,
  cpu,
  lagStart,
  lagMost,
  lagEnd,
}: Watched): BenchFigure[] {
  const memory = { ...plainFigure(BENCH, `${name}: memory at the end (baseline: start)`, memoryEnd, 'MB') };
  const figures = [
    { ...memory, baseline: memoryStart, ratio: memoryEnd / memoryStart },
    plainFigure(BENCH, `${name}: CPU`, cpu, 'cores'),
  ];
  if (heapStart !== null && heapEnd !== null) {
    const heap = plainFigure(BENCH, `${name}: least heap in use, last tenth (baseline: first tenth)`, heapEnd, 'MB');
    figures.push({ ...heap, baseline: heapStart, ratio: heapEnd / heapStart });
  }
  if (name === 'venue') return figures;
  const lag = {
    ...plainFigure(BENCH, `${name}: lag at the end (baseline: start)`, lagEnd, 'messages'),
    baseline: lagStart,
  };
  return [...figures, lag, plainFigure(BENCH, `${name}: most lag`, lagMost, 'messages')];
}
