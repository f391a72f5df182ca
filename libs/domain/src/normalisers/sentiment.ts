import { Type, type Static } from '@sinclair/typebox';
import type { AnyEvent, EventData } from '@moon/events';
import { completeConfig, type PartialConfig } from '../agent-kit';
import type { Handler, Outbox } from '../handler';
import { num15 } from '../money';

const HOUR = 3_600_000;

export const sentimentNormaliserConfigSchema = Type.Object(
  {
    halfLifeMs: Type.Integer({
      default: 24 * HOUR,
      minimum: 60_000,
      description: 'Time in which a reading loses half its weight as evidence, in milliseconds.',
    }),
    priorReadings: Type.Number({
      default: 2,
      exclusiveMinimum: 0,
      maximum: 1_000,
      description: 'Readings at which confidence is one half.',
    }),
    velocitySpanMs: Type.Integer({
      default: HOUR,
      minimum: 60_000,
      description:
        'Readings closer together than this are taken as this far apart when their change is put per hour, in milliseconds.',
    }),
    maxSources: Type.Integer({
      default: 50,
      minimum: 1,
      maximum: 1_000,
      description: 'Sources remembered per token; the one silent longest makes room.',
    }),
  },
  { additionalProperties: false, description: 'Sentiment normaliser: market.sentiment to sentiment.update.' },
);
export type SentimentNormaliserConfig = Static<typeof sentimentNormaliserConfigSchema>;

interface SourceReadings {
  source: string;
  /** Readings so far, each halved every half-life, as of `at`. */
  evidence: number;
  bullishPct: number;
  /** Event time of the last reading, epoch ms. */
  at: number;
}

/** For one token; `refused` counts readings that lie outside their own scale. */
export interface SentimentNormaliserState {
  sources: SourceReadings[];
  refused: number;
}

/**
 * Derives `sentiment.update` from every `market.sentiment` (rule 10), source by source:
 *
 * - `bullish_pct` = 100 · (score − scaleMin) ÷ (scaleMax − scaleMin). A reading outside its own scale says nothing about
 *   sentiment: it is counted and gives no update.
 * - `velocity` = (bullish_pct − that of the source's previous reading) ÷ hours between them, at least `velocitySpanMs`: two
 *   posts a minute apart are a change within the hour, not 60 times it. 0 on a source's first reading:
 *   no change is known, and the schema has no null here.
 * - `confidence` = n ÷ (n + priorReadings), n = Σ 2^(−age ÷ halfLife) over the source's readings with this one: few or old
 *   readings say little. With the defaults a first reading has 0.33, a daily index 0.5, eight posts a day 0.86.
 */
export function createSentimentNormaliser(
  given: PartialConfig<SentimentNormaliserConfig> = {},
): Handler<SentimentNormaliserState> {
  const config = completeConfig('sentiment normaliser', sentimentNormaliserConfigSchema, given);
  return {
    name: 'normaliser/sentiment',
    role: 'normaliser',
    partitionedBy: 'token',
    consumes: ['market.sentiment'],
    initialState: () => ({ sources: [], refused: 0 }),
    handle: (event, state, out) => handle(event, state, out, config),
  };
}

function handle(
  event: AnyEvent,
  state: SentimentNormaliserState,
  out: Outbox,
  config: SentimentNormaliserConfig,
): void {
  if (event.type !== 'market.sentiment') return;
  const bullishPct = onScale(event.data);
  if (bullishPct === null) {
    state.refused += 1;
    return;
  }
  const known = state.sources.find((one) => one.source === event.data.source);
  const velocity = known === undefined ? null : change(known, bullishPct, out.now, config.velocitySpanMs);
  const evidence = 1 + (known === undefined ? 0 : known.evidence * 2 ** (-(out.now - known.at) / config.halfLifeMs));
  remember(state, { source: event.data.source, evidence, bullishPct, at: out.now }, config.maxSources);
  out.emit('sentiment.update', {
    token: out.key,
    bullish_pct: num15(bullishPct),
    velocity,
    confidence: num15(evidence / (evidence + config.priorReadings)),
    timestamp: out.now,
    source: event.data.source,
  });
}

/** The score as percent of its scale; null when it is not on it. */
function onScale({ score, scaleMin, scaleMax }: EventData<'market.sentiment'>): number | null {
  if (!(scaleMax > scaleMin) || score < scaleMin || score > scaleMax) return null;
  return (100 * (score - scaleMin)) / (scaleMax - scaleMin);
}

/** Percentage points per hour since the source's previous reading. */
function change(previous: SourceReadings, bullishPct: number, now: number, spanMs: number): number {
  return num15(((bullishPct - previous.bullishPct) * HOUR) / Math.max(now - previous.at, spanMs));
}

/** Keeps the source at the end of the list, so that the first is the one silent longest. */
function remember(state: SentimentNormaliserState, reading: SourceReadings, maxSources: number): void {
  const place = state.sources.findIndex((one) => one.source === reading.source);
  if (place >= 0) state.sources.splice(place, 1);
  else if (state.sources.length >= maxSources) state.sources.shift();
  state.sources.push(reading);
}
