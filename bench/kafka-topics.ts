import { CATALOG } from '@moon/events';
import type { BenchFigure, BenchOptions, BenchSize } from './figure';
import { latencyFigures, loadFigure, plainFigure } from './support/latency-figures';
import { DOCUMENT_RATES, RATED_TYPES } from './support/topic-load';
import { runTopics, type TopicsRun } from './support/topics-run';

/**
 * All topics at the design document's rates at once (BRK-5): one publisher, three brokers, the recorder as a process of its own,
 * PostgreSQL with a synchronous standby. From the publisher's call to the commit of the batch that archives the event, on this
 * machine's monotonic clock. Of fills, which are stored before they are published, the recorder keeps where they stood.
 * `--rate R` is the rate of ticks; the others are scaled alike.
 */
const BENCH = 'kafka-topics';
const WARM_UP_S = { short: 5, full: 20 };
const SECONDS = { short: 20, full: 60 };

export async function run(
  size: BenchSize = 'full',
  { rate = DOCUMENT_RATES['price.tick'], minutes, patience = 1 }: BenchOptions = {},
): Promise<BenchFigure[]> {
  const load = loadFigure(BENCH);
  const share = rate / DOCUMENT_RATES['price.tick'];
  const seconds = minutes === undefined ? SECONDS[size] : minutes * 60;
  const result = await runTopics({ warmUpS: WARM_UP_S[size], seconds, share, patience });
  return [
    load,
    ...RATED_TYPES.flatMap((type) => topicFigures(result, type, share)),
    plainFigure(BENCH, 'recorder behind when the last was acknowledged', result.lagAtEnd, 'messages'),
    plainFigure(BENCH, 'recorder behind after that', result.lagAfter, 'messages'),
    loadFigure(BENCH),
  ];
}

function topicFigures(result: TopicsRun, type: (typeof RATED_TYPES)[number], share: number): BenchFigure[] {
  const { topic } = CATALOG[type];
  const [reached, wanted] = [result.rates.get(type) ?? 0, DOCUMENT_RATES[type] * share];
  const rate = plainFigure(BENCH, `${topic}: rate (baseline: the document's)`, reached, 'events/s');
  const values = result.latencies.get(topic) ?? [];
  return [
    { ...rate, baseline: wanted, ratio: reached / wanted },
    ...latencyFigures({ bench: BENCH, metric: `${topic}: publisher → archived`, values }),
    plainFigure(BENCH, `${topic}: accepted, not archived`, result.lost.get(topic) ?? Number.NaN, 'events'),
  ];
}
