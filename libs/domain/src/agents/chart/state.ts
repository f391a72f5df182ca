import { newBarSource, newOpeningMemory, type BarSourceState, type VoterState } from '../../agent-kit';
import {
  createAtr,
  createBarSeries,
  createBollinger,
  createEma,
  type AtrState,
  type BarSeriesState,
  type BollingerState,
  type EmaState,
} from '../../indicators';
import type { ChartAgentConfig } from './config';

/** A turning point of the price: a high above, or a low below, the two bars on each side. */
export interface Swing {
  kind: 'high' | 'low';
  price: number;
}

/** What is known of one bar length. Leans are in [−1, 1], positive = up. */
export interface LengthState {
  minutes: number;
  series: BarSeriesState;
  fast: EmaState;
  slow: EmaState;
  atr: AtrState;
  bands: BollingerState;
  slowBefore: number | null;
  /** Bars since the bands were last squeezed; null = never seen. */
  sinceSqueeze: number | null;
  breakout: number;
  pattern: number;
  patternName: string | null;
  /** The last turning points, alternating, oldest first, at most three. */
  swings: Swing[];
  trend: number;
  /** Trend, breakout and pattern together; null while an indicator is warming up. */
  lean: number | null;
}

/** State of the chart agent for one token. */
export interface ChartAgentState {
  voter: VoterState;
  source: BarSourceState;
  lengths: LengthState[];
}

export function newChartState(config: ChartAgentConfig): ChartAgentState {
  return {
    voter: { halts: [], opening: newOpeningMemory(), counts: { openings: 0, answers: 0, withheld: 0 } },
    source: newBarSource(),
    lengths: newLengths(config),
  };
}

export function newLengths(config: ChartAgentConfig): LengthState[] {
  return config.lengths.map(({ minutes }) => ({
    minutes,
    series: createBarSeries(minutes * 60_000, Math.max(config.channelPeriod, 5) + 2),
    fast: createEma(config.fastPeriod),
    slow: createEma(config.slowPeriod),
    atr: createAtr(config.atrPeriod),
    bands: createBollinger(config.channelPeriod, 2),
    slowBefore: null,
    sinceSqueeze: null,
    breakout: 0,
    pattern: 0,
    patternName: null,
    swings: [],
    trend: 0,
    lean: null,
  }));
}
