import { createConsensusSaga, recordOutbox, type ConsensusState } from '@moon/domain';
import { derivedId, type AnyEvent, type EmitData } from '@moon/events';

interface BenchFigure {
  bench: string;
  metric: string;
  value: number;
  unit: string;
  baseline: number;
  ratio: number;
}

type Signal = EmitData<'signal.generated'>;

const TOKEN = 'BTC';
const AGENTS = ['trading_agent', 'sentiment_agent', 'funding_agent', 'chart_agent'];
const WINDOWS = 25_000;
const REPEATS = 5;
const START = 1_700_000_000_000;
const MINUTE = 60_000;

/** One window a minute: an opening signal and three answers, of which some agree and some do not. */
function signals(): AnyEvent[] {
  const events: AnyEvent[] = [];
  let seed = 11;
  const next = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff) / 0x7fffffff;
  for (let window = 0; window < WINDOWS; window += 1) {
    const opening = derivedId(`opening-${window}`, 'bench', 0);
    AGENTS.forEach((agent, index) => {
      const at = START + window * MINUTE + index;
      const data: Signal = {
        token: TOKEN,
        action: next() < 0.75 ? 'BUY' : 'SELL',
        score: 50 + Math.floor(next() * 50),
        confidence: (1 + Math.floor(next() * 20)) / 20,
        agent,
        reason: 'bench',
        timestamp: at,
        ...(index > 0 && { windowId: derivedId(opening, 'saga/consensus/window', 0) }),
      };
      const id = index === 0 ? opening : derivedId(opening, agent, index);
      const metadata = {
        schemaVersion: 2,
        source: 'bench',
        key: TOKEN,
        occurredAt: at,
        correlationId: id,
        causationId: null,
      };
      events.push({ id, type: 'signal.generated', ...metadata, data: { event_type: 'signal.generated', ...data } });
    });
  }
  return events;
}

interface Outcomes {
  microseconds: number;
  decisions: number;
}

function throughSaga(events: readonly AnyEvent[]): Outcomes {
  const saga = createConsensusSaga({ cooldownMs: 0 });
  const state: ConsensusState = saga.initialState(TOKEN);
  const outbox = recordOutbox(START, TOKEN);
  let decisions = 0;
  const from = process.hrtime.bigint();
  for (const event of events) {
    (outbox as { now: number }).now = event.occurredAt;
    saga.handle(event, state, outbox);
    for (const { type } of outbox.emitted) if (type !== 'consensus.opened') decisions += 1;
    outbox.emitted.length = 0;
    outbox.scheduled.length = 0;
    outbox.cancelled.length = 0;
  }
  return { microseconds: Number(process.hrtime.bigint() - from) / 1_000 / events.length, decisions };
}

/** The least that the same decisions could cost: the votes of a window in an array, their weighted mean at each signal. */
function weightedSums(events: readonly AnyEvent[]): Outcomes {
  let votes: Signal[] = [];
  let decisions = 0;
  const from = process.hrtime.bigint();
  for (const event of events) {
    if (event.type !== 'signal.generated') continue;
    if (event.data.windowId === undefined) votes = [];
    votes.push(event.data);
    let above = 0;
    let below = 0;
    for (const { action, confidence, score } of votes) {
      if (action === 'BUY') above += confidence * score;
      below += confidence;
    }
    if (votes.length === AGENTS.length && above / below >= 0) decisions += 1;
  }
  return { microseconds: Number(process.hrtime.bigint() - from) / 1_000 / events.length, decisions };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Consensus, µs for each signal (decision with its audit trail included; no persistence, no validation), beside bare weighted sums. */
export async function run(): Promise<BenchFigure[]> {
  const events = signals();
  const runs = Array.from({ length: REPEATS }, () => ({ saga: throughSaga(events), bare: weightedSums(events) }));
  const unfinished = runs.find(({ saga, bare }) => saga.decisions !== WINDOWS || bare.decisions !== WINDOWS);
  if (unfinished)
    throw new Error(`${unfinished.saga.decisions} decisions for ${WINDOWS} windows: the workload was not handled.`);
  const value = median(runs.map(({ saga }) => saga.microseconds));
  const baseline = median(runs.map(({ bare }) => bare.microseconds));
  return [
    {
      bench: 'consensus',
      metric: 'per signal, decision and audit trail included',
      value,
      unit: 'µs',
      baseline,
      ratio: value / baseline,
    },
  ];
}
