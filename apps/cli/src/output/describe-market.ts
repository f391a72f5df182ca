import type { Descriptions } from './descriptions';
import { shortId, short, span } from './text';

const percent = (fraction: number): string => `${short(fraction * 100)} %`;

/** Market data, agents' opinions and consensus. */
export const describeMarket: Descriptions = {
  'price.tick': ({ instrument, kind, price, size, side }) =>
    `${instrument} ${kind} ${short(price)}${size === undefined ? '' : ` (${side ?? ''} ${short(size)})`}`,
  'bar.opened': ({ instrument, intervalMs, open }) => `${instrument} ${span(intervalMs)} opens at ${short(open)}`,
  'bar.closed': ({ instrument, intervalMs, open, high, low, close }) =>
    `${instrument} ${span(intervalMs)} O ${short(open)} H ${short(high)} L ${short(low)} C ${short(close)}`,
  'book.snapshot': ({ instrument, bids, asks }) =>
    `${instrument} book of ${bids.length} bids and ${asks.length} asks, best ${bestOf(bids)} and ${bestOf(asks)}`,
  'book.delta': ({ instrument, bids, asks, lastUpdateId }) =>
    `${instrument} book: ${bids.length} bids and ${asks.length} asks changed, update ${lastUpdateId}`,
  'funding.update': ({ instrument, rate, status }) => `${instrument} funding ${percent(rate)} (${status})`,
  'market.liquidation': ({ instrument, side, price, size }) =>
    `${instrument} a ${side === 'sell' ? 'long' : 'short'} of ${short(size)} liquidated at ${short(price)}`,
  'market.sentiment': ({ token, source, score, scaleMin, scaleMax, text }) =>
    `${token} ${source} ${short(score)} on ${scaleMin} to ${scaleMax}${text === '' ? '' : `: ${text}`}`,
  'liquidation.event': ({ token, liquidation_count, cascade_indicator }) =>
    `${token} ${liquidation_count} liquidations${cascade_indicator ? ', a cascade' : ''}`,
  'sentiment.update': ({ token, bullish_pct, confidence, source }) =>
    `${token} ${short(bullish_pct)} % bullish, confidence ${short(confidence)} (${source})`,
  'instrument.listed': ({ instrument, kind, settlement }) => `${instrument} (${kind}, settled in ${settlement})`,
  'signal.generated': ({ agent, action, token, score, confidence, windowId, reason }) =>
    `${agent} ${action} ${token} score ${short(score)} confidence ${short(confidence)}` +
    `${windowId === undefined ? '' : ', as an answer'}${reason === '' ? '' : `: ${reason}`}`,
  'signal.error': ({ agent, token, reason, detail }) => `${agent} ${token} ${reason}: ${detail}`,
  'consensus.opened': ({ token, openedBy, voters, threshold }) =>
    `${token} opened by ${openedBy}, ${voters.length} voters, threshold ${threshold}`,
  'trade.consensus_approved': ({ token, recommended_action, consensus_score, contributing_agents }) =>
    `${token} ${recommended_action} with score ${short(consensus_score)} by ${contributing_agents.join(', ')}`,
  'signal.consensus_failed': ({ token, reason, decision }) =>
    `${token} ${reason.replaceAll('_', ' ')}: BUY ${scoreOf(decision.scores.BUY)}, SELL ${scoreOf(decision.scores.SELL)}, threshold ${decision.threshold}`,
  'correlation.detected': ({ token, coefficient, direction, sentimentSource }) =>
    `${token} ${direction}, coefficient ${short(coefficient)}${sentimentSource === undefined ? '' : ` with ${sentimentSource}`}`,
  'inference.requested': ({ agent, token, model }) => `${agent} asks ${model} about ${token}`,
  'inference.completed': ({ agent, provider, status, latencyMs, answer }) =>
    `${provider} answers ${agent} (${status}, ${span(latencyMs)}): ${answer}`,
  'agent.error': ({ agent, handlerKey, failedType, eventId, error }) =>
    `${agent}/${handlerKey} failed at ${failedType} ${shortId(eventId)}: ${error}`,
  'event.skipped': ({ handler, handlerKey, skippedEventId, reason, error }) =>
    `${handler}/${handlerKey} passed over ${shortId(skippedEventId)} (${reason}): ${error}`,
  'event.replayed': ({ handler, handlerKey, replayedEventId, requestedBy }) =>
    `${shortId(replayedEventId)} delivered again to ${handler}/${handlerKey}, asked for by ${requestedBy}`,
  'key.parked': ({ handler, handlerKey, eventId, error }) =>
    `${handler}/${handlerKey} stands still at ${shortId(eventId)}: ${error ?? ''}`,
  'key.unparked': ({ handler, handlerKey, eventId }) => `${handler}/${handlerKey} goes on at ${shortId(eventId)}`,
};

function scoreOf(score: number | null): string {
  return score === null ? '-' : short(score);
}

function bestOf(levels: readonly { price: number }[]): string {
  return levels[0] === undefined ? 'none' : short(levels[0].price);
}
