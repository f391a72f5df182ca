import type { EmitData } from '@moon/events';
import type { Outbox } from '../../handler';
import { num15 } from '../../money';
import type { RiskAgentConfig, ViolationType } from './config';
import type { Episode, RiskAgentState } from './state';

/** Name of the deadline at which cleared conditions are called off, ticks or not. */
export const CLEAR = 'clear';
const LARGEST = 1e15;
/** More say nothing about a double of ordinary size. */
const MOST_DECIMALS = 12;

/** What the agent works with while it handles one event. */
export interface Watch {
  readonly config: RiskAgentConfig;
  readonly state: RiskAgentState;
  readonly out: Outbox;
}

/** What a condition is about; neither = the whole portfolio. */
export interface Subject {
  token: string | null;
  instrument: string | null;
}

export const WHOLE_PORTFOLIO: Subject = { token: null, instrument: null };

/** Key of an episode; `kind` tells the critical one from the warning about the same position. */
export function episodeKey(violation: ViolationType | 'critical', { token, instrument }: Subject): string {
  const subject = instrument ?? token ?? '';
  let known = keys.get(violation);
  if (known === undefined) keys.set(violation, (known = new Map()));
  let key = known.get(subject);
  if (key === undefined) known.set(subject, (key = `${violation}|${subject}`));
  return key;
}

/** The keys, by condition and subject: they are asked for at every price, and a text put together anew is slow to look up. */
const keys = new Map<string, Map<string, string>>();

/**
 * Follows one condition: answers true once, when it begins. From then on it counts as standing until it has been
 * cleared, by more than a hair (hysteresis), for `clearAfterMs`.
 */
export function follow(
  watch: Watch,
  key: string,
  about: { violation: ViolationType } & Subject,
  now: { isBreached: boolean; isCleared: boolean },
): boolean {
  const { state } = watch;
  const episode = state.episodes[key];
  if (now.isBreached) {
    if (episode !== undefined) {
      episode.clearSince = null;
      return false;
    }
    const { violation, token, instrument } = about;
    state.episodes[key] = { violation, token, instrument, clearSince: null };
    state.openEpisodes++;
    return true;
  }
  if (episode !== undefined) noteCleared(watch, episode, now.isCleared);
  return false;
}

/** Notes whether a standing condition is cleared at the moment, and sees to it that it is looked at in time. */
export function noteCleared({ config, state, out }: Watch, episode: Episode, isCleared: boolean): void {
  if (!isCleared) {
    episode.clearSince = null;
    return;
  }
  if (episode.clearSince !== null) return;
  episode.clearSince = out.now;
  if (state.isClearDue || config.clearAfterMs === 0) return;
  state.isClearDue = true;
  out.schedule(CLEAR, out.now + config.clearAfterMs);
}

/** Calls off what has been cleared for long enough, all of it in one risk.ok (RSK-4). */
export function settle(watch: Watch): void {
  const { config, state, out } = watch;
  if (state.openEpisodes === 0) return;
  const over: Episode[] = [];
  for (const key of Object.keys(state.episodes).sort()) {
    const episode = state.episodes[key];
    if (episode === undefined || episode.clearSince === null) continue;
    if (out.now - episode.clearSince < config.clearAfterMs) continue;
    over.push(episode);
    delete state.episodes[key];
    state.openEpisodes--;
  }
  if (over.length > 0) sayOk(out, over);
}

/** The deadline fell due: settle, and set it again for what is still being waited for. */
export function onClearDue(watch: Watch): void {
  const { config, state, out } = watch;
  state.isClearDue = false;
  settle(watch);
  const since = Object.values(state.episodes).flatMap(({ clearSince }) => (clearSince === null ? [] : [clearSince]));
  if (since.length === 0) return;
  state.isClearDue = true;
  out.schedule(CLEAR, Math.min(...since) + config.clearAfterMs);
}

/** Ends one episode at once, without waiting. */
export function callOff({ state, out }: Watch, key: string): void {
  const episode = state.episodes[key];
  if (episode === undefined) return;
  delete state.episodes[key];
  state.openEpisodes--;
  sayOk(out, [episode]);
}

function sayOk(out: Outbox, over: readonly Episode[]): void {
  const clears: EmitData<'risk.ok'>['clears'] = [];
  const said = new Set<string>();
  for (const { violation, token, instrument } of over) {
    const key = episodeKey(violation, { token, instrument });
    if (said.has(key)) continue;
    said.add(key);
    clears.push({
      violation_type: violation,
      ...(token !== null && { token }),
      ...(instrument !== null && { instrument }),
    });
  }
  const named = clears.map(({ violation_type, token, instrument }) =>
    [violation_type, instrument ?? token].filter((part) => part !== undefined).join(' of '),
  );
  out.emit('risk.ok', {
    portfolio: out.key,
    clears,
    message: `Cleared: ${named.join(', ')}.`,
    timestamp: out.now,
  });
}

export interface Alert extends Subject {
  violation: ViolationType;
  severity: EmitData<'risk.alert'>['severity'];
  /** What is asked for unless the configuration has the violation halt trading. */
  action: EmitData<'risk.alert'>['action_required'];
  value: number;
  bound: number;
  message: string;
}

export function alert({ config, out }: Watch, about: Alert): void {
  const { violation, severity, token, instrument, message } = about;
  out.emit('risk.alert', {
    severity,
    violation_type: violation,
    action_required: config.haltOn.includes(violation) ? 'halt_trading' : about.action,
    portfolio: out.key,
    ...(token !== null && { token }),
    ...(instrument !== null && { instrument }),
    value: bounded(about.value),
    bound: bounded(about.bound),
    message,
    scope: config.globalScope.includes(violation) ? 'global' : 'portfolio',
    timestamp: out.now,
  });
}

function bounded(value: number): number {
  return num15(Math.max(-LARGEST, Math.min(value, LARGEST)));
}

/** A value above its bound as text, with as many decimals as tell the two apart, two at least. */
export function above(value: number, bound: number): string {
  let decimals = 2;
  while (decimals < MOST_DECIMALS && Number(value.toFixed(decimals)) <= bound) decimals += 1;
  return String(num15(Number(value.toFixed(decimals))));
}

/** A share above its bound as text in per cent, see {@link above}. */
export function percentAbove(share: number, bound: number): string {
  return `${above(share * 100, num15(bound * 100))} %`;
}

/** A share as text: 0.0512 → "5.12 %". */
export function percent(share: number): string {
  return `${num15(Math.round(share * 10_000) / 100)} %`;
}
