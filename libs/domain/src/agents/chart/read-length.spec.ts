import { completeConfig } from '../../agent-kit';
import { pushBar } from '../../indicators';
import { chartAgentConfigSchema } from './config';
import { readBar } from './read-length';
import { newLengths, type LengthState } from './state';

const config = completeConfig('test', chartAgentConfigSchema, { lengths: [{ minutes: 1, weight: 1 }] });
const MINUTE = 60_000;

/** Reads closes as bars with a range of one unit around the body. */
function read(closes: readonly number[]): LengthState {
  const [length] = newLengths(config) as [LengthState];
  closes.forEach((close, i) => {
    const open = closes[i - 1] ?? close;
    const bar = {
      openedAt: i * MINUTE,
      open,
      close,
      high: Math.max(open, close) + 0.5,
      low: Math.min(open, close) - 0.5,
      volume: 1,
    };
    pushBar(length.series, bar, MINUTE);
    readBar(length, 0, config);
  });
  return length;
}
/** A market that breathes slowly between 98 and 102, too slowly for a squeeze. */
const swinging = Array.from({ length: 60 }, (_, i) => 100 + 2 * Math.sin(i / 4));
const quiet = Array.from({ length: 60 }, (_, i) => 100 + 0.3 * Math.sin(i * 2));

describe('reading one bar length', () => {
  it('has no lean until its slowest indicator is ready', () => {
    expect(read(swinging.slice(0, 21)).lean).toBeNull();
    expect(read(swinging.slice(0, 22)).lean).not.toBeNull();
  });

  it('a rise is a positive trend, a fall a negative one, in [−1, 1]', () => {
    const up = read(Array.from({ length: 60 }, (_, i) => 100 + i));
    const down = read(Array.from({ length: 60 }, (_, i) => 100 - i));
    expect(up.trend).toBeGreaterThan(0.8);
    expect(down.trend).toBeCloseTo(-up.trend, 10);
    expect(up.lean).toBeLessThanOrEqual(1);
  });

  it('a close beyond the channel of the bars before is a breakout: in full after a squeeze, else 70 %', () => {
    expect(read([...quiet, 103]).breakout).toBe(1);
    expect(read([...quiet, 97]).breakout).toBe(-1);
    expect(read([...swinging, 104]).breakout).toBe(0.7);
    expect(read(quiet).breakout).toBe(0);
  });

  it('a breakout fades bar by bar, and is over once the close is back beyond the middle of the bands', () => {
    expect(read([...quiet, 103, 102.9]).breakout).toBeCloseTo(0.9);
    expect(read([...quiet, 103, 102.9, 102.8]).breakout).toBeCloseTo(0.81);
    expect(read([...quiet, 103, 99.9]).breakout).toBe(0);
  });

  it('a pattern adds to the lean and fades', () => {
    const run = [...quiet, 101.2, 102.4, 103.6];
    expect(read(run)).toMatchObject({ patternName: 'three_up', pattern: 0.8 });
    expect(read([...run, 103.5]).pattern).toBeCloseTo(0.6);
  });

  it('a market without any range leans nowhere', () => {
    const [length] = newLengths(config) as [LengthState];
    for (let i = 0; i < 40; i++) {
      pushBar(length.series, { openedAt: i * MINUTE, open: 1, high: 1, low: 1, close: 1, volume: 0 }, MINUTE);
      readBar(length, 0, config);
    }
    expect(length.lean).toBe(0);
  });
});
