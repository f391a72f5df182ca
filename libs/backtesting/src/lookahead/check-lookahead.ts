import { createHash } from 'node:crypto';
import type { AnyEvent } from '@moon/events';
import type { InputChange } from './changed-inputs';
import { DecisionLog, firstDifferences, type Difference } from './decisions';

/** Looks on at a run. */
export interface RunObserver {
  /** The run begins, or begins once more because a handler threw. */
  began(): void;
  saw(event: AnyEvent): void;
}

export interface LookaheadOptions {
  /**
   * Plays the backtest once on its data under a change, with strategies loaded afresh, and shows every event.
   * `changedInputs` makes the change.
   */
  play: (change: InputChange, observer: RunObserver) => Promise<void>;
  /** How many instants the data are cut at; each is played twice. */
  cuts: number;
  /** Chooses the instants; the same seed chooses the same ones. */
  seed: string;
  /** Called before each run but the first. */
  onRun?: (done: number, total: number) => void;
}

/**
 * `clean`: whatever comes later changed nothing of what was decided before.
 * `peeks`: a decision changed with what only came after it.
 * `unmoved`: every price was another one, and the decisions stayed the same: it does not decide by the data it is given.
 * `silent`: it decided nothing, so nothing can be said.
 */
export type LookaheadVerdict = 'clean' | 'peeks' | 'unmoved' | 'silent';

export interface HandlerVerdict {
  handler: string;
  verdict: LookaheadVerdict;
  /** Decisions in the whole run. */
  decisions: number;
  /** How it was found, for `peeks`: the cut (epoch ms) and the first decision that changed. */
  found: (Difference & { change: InputChange['kind']; cut: number }) | null;
}

export interface LookaheadReport {
  /** Instants at which the data were cut, epoch ms. */
  cuts: number[];
  /** Agents and strategies, then those who decide on their opinions. */
  handlers: HandlerVerdict[];
  /** Any `peeks`. */
  isPeeking: boolean;
}

/** A handler that decided less often than this may well decide the same on other prices by chance. */
const ENOUGH_DECISIONS = 3;

/**
 * Plays a backtest on all of its data, then on data that end at several instants, and on data whose prices are others
 * from there on. Up to each instant all runs have seen the same, so an honest agent has decided the same.
 * (freqtrade's `lookahead-analysis` cuts in the same way, after single signals.)
 *
 * Instants are drawn from the inputs of the run, half of them right at a decision: that is where who peeks gives itself away.
 * At the end every price is changed from the beginning: who still decides the same brings its knowledge along, be it
 * the future or a calendar.
 */
export async function checkLookahead(options: LookaheadOptions): Promise<LookaheadReport> {
  const { play, onRun } = options;
  const whole = new DecisionLog();
  const times: number[] = [];
  await play(
    { kind: 'none' },
    {
      began(): void {
        whole.clear();
        times.length = 0;
      },
      saw(event): void {
        whole.note(event);
        const last = times[times.length - 1];
        if (event.source.startsWith('feed/') && event.headers?.warmup !== true && event.occurredAt !== last)
          times.push(event.occurredAt);
      },
    },
  );
  const cuts = chooseCuts(times, whole, options);
  const total = 2 * cuts.length + 1;
  const found = new Map<string, HandlerVerdict['found']>();
  let done = 0;
  for (const cut of cuts) {
    for (const kind of ['truncate', 'disturb'] as const) {
      onRun?.((done += 1), total);
      const log = await decisionsUnder({ kind, after: cut }, play);
      for (const difference of firstDifferences(whole, log, cut)) {
        const known = found.get(difference.by);
        if (!known || difference.at < known.at) found.set(difference.by, { ...difference, change: kind, cut });
      }
    }
  }
  onRun?.(total, total);
  const mirrored = await decisionsUnder({ kind: 'disturb', after: Number.NEGATIVE_INFINITY }, play);
  const names = [...new Set([...whole.by.keys(), ...found.keys()])].sort();
  const handlers = names.map((handler): HandlerVerdict => {
    const decisions = whole.by.get(handler)?.length ?? 0;
    const peek = found.get(handler) ?? null;
    return { handler, verdict: peek ? 'peeks' : verdictOf(handler, whole, mirrored), decisions, found: peek };
  });
  return { cuts, handlers, isPeeking: handlers.some(({ verdict }) => verdict === 'peeks') };
}

async function decisionsUnder(change: InputChange, play: LookaheadOptions['play']): Promise<DecisionLog> {
  const log = new DecisionLog();
  await play(change, { began: () => log.clear(), saw: (event) => log.note(event) });
  return log;
}

/** Only who judges prices can be unmoved by them: consensus and execution follow the opinions that they are given. */
function verdictOf(handler: string, whole: DecisionLog, mirrored: DecisionLog): LookaheadVerdict {
  const said = outline(whole, handler);
  if (said.length === 0) return 'silent';
  const isUnmoved =
    handler.startsWith('agent/') &&
    said.length >= ENOUGH_DECISIONS &&
    said.join() === outline(mirrored, handler).join();
  return isUnmoved ? 'unmoved' : 'clean';
}

/** When a handler said what, without reasons and figures. */
function outline(log: DecisionLog, handler: string): string[] {
  return (log.by.get(handler) ?? []).map(({ type, at, data }) => {
    const { action = '', token = '' } = JSON.parse(data) as { action?: string; token?: string };
    return `${at} ${type} ${token} ${action}`;
  });
}

/** Instants of inputs, drawn by the seed: every other one the instant of a decision. The last input is none: nothing comes after it. */
function chooseCuts(times: readonly number[], whole: DecisionLog, { cuts, seed }: LookaheadOptions): number[] {
  const end = times[times.length - 1] ?? 0;
  const decided = [...new Set(whole.all().map(({ at }) => at))].filter((at) => at < end);
  const draw = drawer(seed);
  const chosen = new Set<number>();
  const most = Math.min(cuts, times.length - 1);
  for (let tries = 0; chosen.size < most && tries < 20 * cuts; tries += 1) {
    const from = tries % 2 === 0 && decided.length > 0 ? decided : times.slice(0, -1);
    const at = from[Math.floor(draw() * from.length)];
    if (at !== undefined) chosen.add(at);
  }
  return [...chosen].sort((a, b) => a - b);
}

/** Numbers in [0, 1) from a seed. */
function drawer(seed: string): () => number {
  let count = 0;
  return () => {
    const bytes = createHash('sha256')
      .update(`${seed}/${(count += 1)}`)
      .digest();
    return bytes.readUInt32BE(0) / 2 ** 32;
  };
}
