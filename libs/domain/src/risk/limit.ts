import type { EventData } from '@moon/events';
import { num15 } from '../money';
import type { LimitFacts } from './facts';
import type { LimitsConfig } from './limits-config';

export type Breach = EventData<'risk.constraint_violation'>['breaches'][number];

/** What a limit found and what it allows. */
export interface Finding {
  value: number | string | null;
  bound: number | string | null;
}

export interface Limit {
  /** Stands in `Breach.code` and in `trade.rejected.reason`; a configured bound has the same name in lower case. */
  readonly code: string;
  readonly title: string;
  /** The configured bound; null = the bound follows from the instrument, the account or the state. */
  readonly setting: keyof LimitsConfig | null;
  /** How the bound is changed. */
  readonly override: string;
  /** `{value}` and `{bound}` are filled in. */
  readonly message: string;
  /** What a breach does to an order that only reduces: it is refused as well, or the breach is recorded and it goes on. */
  readonly reducing: 'refuses' | 'records';
  /** Whether a smaller order may satisfy the limit. */
  readonly yieldsToSize: boolean;
  /** The breach, or null when the limit is kept or lacks what it needs to judge. */
  judge(facts: LimitFacts): Finding | null;
}

/** How a configured bound is changed. */
export const bySetting = (setting: keyof LimitsConfig) => `limits.${setting} of the portfolio`;

/** Beyond this a ratio says no more; keeps a division by a vanishing equity inside JSON's numbers. */
const MOST = 1_000_000;

/** A breach when `value` is above `bound`. */
export function above(value: number, bound: number): Finding | null {
  return value > bound ? { value: num15(value), bound: num15(bound) } : null;
}

/** a ÷ b; with nothing to divide by it is the largest ratio that is told apart. */
export function ratio(a: number, b: number): number {
  if (a === 0) return 0;
  return b > 0 ? Math.min(a / b, MOST) : MOST;
}

/** Text cut to the one line that an event may carry. */
export function line(value: string): string {
  return value.length > 200 ? `${value.slice(0, 199)}…` : value;
}
