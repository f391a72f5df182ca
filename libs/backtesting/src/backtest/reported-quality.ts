import type { DataQuality } from '../report';
import type { DataQualityReport, InstrumentQuality } from './data-quality';

/** Gaps of an instrument that a report lists. */
const MOST_GAPS = 20;

/** What was found about the data, as the report shows it: the longest gaps first; kinds other than bars are named. */
export function reportedQuality({ instruments, ...counts }: DataQualityReport): DataQuality {
  return { instruments: instruments.map(shown), ...counts };
}

function shown({ kind, gaps, missingRows, ...quality }: InstrumentQuality): DataQuality['instruments'][number] {
  const longest = [...gaps].sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, MOST_GAPS);
  return {
    ...quality,
    instrument: kind === 'bars' ? quality.instrument : `${quality.instrument} (${kind})`,
    missingRows: missingRows ?? 0,
    longestGaps: longest.map(({ from, to, missing }) => ({ from, to, missingRows: missing ?? 0 })),
  };
}
