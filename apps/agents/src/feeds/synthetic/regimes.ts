import { between, drawsAt, STREAM, type Draw } from './random';

/** calm: small noise · range: to and fro · trend: one way for 10 to 25 minutes · panic: down fast, with liquidations · rebound: what follows it. */
export type RegimeKind = 'calm' | 'range' | 'trend' | 'panic' | 'rebound';

/** How the whole market behaves for a while. Times in epoch ms, `to` exclusive. */
export interface Regime {
  kind: RegimeKind;
  from: number;
  to: number;
  /** 1 up, −1 down, 0 neither. */
  direction: -1 | 0 | 1;
  /** Standard deviation of a one-minute return, in basis points, for a token of beta 1. */
  sigmaBps: number;
  /** Drift at its height, basis points a minute, for a token of beta 1; in a range the amplitude of the to and fro. */
  driftBps: number;
  /** Length of one to and fro of a range, ms. */
  periodMs: number;
}

const MINUTE = 60_000;
/** Regimes are planned an hour at a time; each hour has at least one trend. */
const CYCLE_MS = 60 * MINUTE;
const SHORTEST_QUIET_MINUTES = 2;

/** A regime before it has its place in time. */
type Part = Omit<Regime, 'from' | 'to'> & { minutes: number };

/**
 * The regimes of one seed: a plan for each hour since the epoch, drawn from the seed and the hour alone. Each has one trend
 * of 16 to 25 minutes, every second one another of 10 to 14, one of eight a panic with its rebound; calm or a range lie
 * between them.
 */
export class RegimePlan {
  private readonly cycles = new Map<number, Regime[]>();

  constructor(private readonly seed: number) {}

  at(ms: number): Regime {
    const regimes = this.cycle(Math.floor(ms / CYCLE_MS));
    const found = regimes.find((regime) => ms < regime.to) ?? regimes[regimes.length - 1];
    if (found === undefined) throw new Error(`The plan of seed ${this.seed} has no regime at ${ms}; that is a defect.`);
    return found;
  }

  private cycle(number: number): Regime[] {
    const known = this.cycles.get(number);
    if (known !== undefined) return known;
    if (this.cycles.size > 64) this.cycles.clear();
    const planned = plan(drawsAt(this.seed, STREAM.plan, number), number * CYCLE_MS);
    this.cycles.set(number, planned);
    return planned;
  }
}

/** Drift of a regime at a moment, basis points a minute for beta 1. A trend gathers way in its first fifth and loses it at the end. */
export function driftAt(regime: Regime, ms: number): number {
  const share = (ms - regime.from) / (regime.to - regime.from);
  switch (regime.kind) {
    case 'calm':
      return 0;
    case 'range':
      return regime.driftBps * Math.cos((2 * Math.PI * (ms - regime.from)) / regime.periodMs);
    case 'trend':
    case 'panic':
    case 'rebound':
      return regime.direction * regime.driftBps * Math.min(1, 0.3 + share / 0.3, (1 - share) / 0.1);
  }
}

/** What a regime makes people say, −1 to 1. */
export function moodOf(regime: Regime): number {
  switch (regime.kind) {
    case 'trend':
      return 0.85 * regime.direction;
    case 'panic':
      return -1;
    case 'rebound':
      return -0.2;
    case 'calm':
    case 'range':
      return 0;
  }
}

function plan(draw: Draw, start: number): Regime[] {
  const strong = strongParts(draw);
  const quietMinutes = 60 - strong.flat().reduce((sum, part) => sum + part.minutes, 0);
  const shares = Array.from({ length: strong.length + 1 }, () => between(draw, 0.4, 1));
  const whole = shares.reduce((sum, share) => sum + share, 0);
  const free = quietMinutes - SHORTEST_QUIET_MINUTES * shares.length;
  const quiet = shares.map((share) => quietPart(draw, SHORTEST_QUIET_MINUTES + (free * share) / whole));
  const parts = quiet.flatMap((part, index) => [part, ...(strong[index] ?? [])]);
  let from = start;
  return parts.map(({ minutes, ...part }, index) => {
    const to = index === parts.length - 1 ? start + CYCLE_MS : from + Math.round(minutes * 60) * 1_000;
    const regime = { ...part, from, to };
    from = to;
    return regime;
  });
}

/** What is not calm in an hour, in the order in which it happens. */
function strongParts(draw: Draw): Part[][] {
  const parts: Part[][] = [[trend(draw, between(draw, 16, 25))]];
  if (draw() < 0.5) parts.push([trend(draw, between(draw, 10, 14))]);
  if (draw() < 0.125) parts.push(panic(draw));
  return draw() < 0.5 ? parts : parts.reverse();
}

function trend(draw: Draw, minutes: number): Part {
  const direction = draw() < 0.5 ? -1 : 1;
  const sigmaBps = between(draw, 7, 11);
  return { kind: 'trend', minutes, direction, sigmaBps, driftBps: between(draw, 9, 14), periodMs: 0 };
}

function panic(draw: Draw): Part[] {
  const fall = { sigmaBps: between(draw, 32, 55), driftBps: between(draw, 22, 38), minutes: between(draw, 4, 7) };
  const rise = { sigmaBps: between(draw, 15, 24), driftBps: between(draw, 8, 18), minutes: between(draw, 4, 6) };
  return [
    { kind: 'panic', direction: -1, periodMs: 0, ...fall },
    { kind: 'rebound', direction: 1, periodMs: 0, ...rise },
  ];
}

function quietPart(draw: Draw, minutes: number): Part {
  if (draw() < 0.5) {
    return { kind: 'calm', minutes, direction: 0, sigmaBps: between(draw, 5, 8), driftBps: 0, periodMs: 0 };
  }
  const periodMs = Math.round(between(draw, 6, 12)) * MINUTE;
  const driftBps = between(draw, 4, 8);
  return { kind: 'range', minutes, direction: 0, sigmaBps: between(draw, 6, 9), driftBps, periodMs };
}
