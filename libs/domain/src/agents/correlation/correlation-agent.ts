import type { AnyEvent, EventEnvelope } from '@moon/events';
import { completeConfig, followBar, isWarmup, type PartialConfig } from '../../agent-kit';
import type { Handler, Outbox } from '../../handler';
import { createRollingCorrelation, pushPair } from '../../indicators';
import { num15 } from '../../money';
import { correlationAgentConfigSchema, type CorrelationAgentConfig } from './config';
import { learn, measure, type Measure } from './measure';
import { newCorrelationState, type CorrelationAgentState, type SourceTrack } from './state';

/**
 * Correlation agent (US5): watches for each sentiment source whether it and the price have moved together over the last
 * hour, and says so by `correlation.detected`; see `measure` for the formula. It samples at each bar's close, of the one
 * instrument that it follows for the token. It has no opinion of its own, hence no vote, and a halt is none of its business.
 */
export function createCorrelationAgent(
  given: PartialConfig<CorrelationAgentConfig> = {},
): Handler<CorrelationAgentState> {
  const config = completeConfig('correlation agent', correlationAgentConfigSchema, given);
  return {
    name: 'agent/correlation',
    role: 'agent',
    partitionedBy: 'token',
    consumes: ['sentiment.update', 'bar.closed'],
    initialState: newCorrelationState,
    handle: (event, state, out) => handle(event, state, out, config),
  };
}

function handle(event: AnyEvent, state: CorrelationAgentState, out: Outbox, config: CorrelationAgentConfig): void {
  if (event.type === 'sentiment.update') learn(state, event.data, config);
  if (event.type === 'bar.closed') sample(event, state, out, config);
}

function sample(
  event: EventEnvelope<'bar.closed'>,
  state: CorrelationAgentState,
  out: Outbox,
  config: CorrelationAgentConfig,
): void {
  const followed = followBar(state.bars, event.data, config.sampleMs);
  if (followed === 'pass') return;
  const price = Math.log(event.data.close);
  for (const track of state.sources) {
    if (followed === 'restart') track.pairs = createRollingCorrelation(config.windowMs);
    pushPair(track.pairs, event.data.timestamp, track.index, price);
    const found = measure(track, event.data.timestamp, config);
    if (!isWarmup(event)) judge(track, found, state, out, config);
  }
}

/** Says a detection when it begins, when it turns round, and again each `repeatMs` while it stands. */
function judge(
  track: SourceTrack,
  found: Measure | null,
  state: CorrelationAgentState,
  out: Outbox,
  config: CorrelationAgentConfig,
): void {
  if (found === null || found.coefficient <= config.threshold - config.hysteresis) {
    track.standing = null;
    return;
  }
  const { coefficient, direction, samples } = found;
  if (coefficient <= config.threshold || direction === null) return;
  const isDue = config.repeatMs > 0 && track.saidAt !== null && out.now - track.saidAt >= config.repeatMs;
  if (track.standing === direction && !isDue) return;
  track.standing = direction;
  track.saidAt = out.now;
  state.detections += 1;
  out.emit('correlation.detected', {
    token: out.key,
    coefficient: num15(coefficient),
    threshold: config.threshold,
    samples,
    windowMs: config.windowMs,
    direction,
    sentimentSource: track.source,
    timestamp: out.now,
  });
}
