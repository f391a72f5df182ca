import type { AnyEvent } from '@moon/events';
import { Activity } from './activity';
import { Summary, type SummarySources } from './summary';

/** A summary on an output that only remembers. */
function summary(isTTY: boolean, more: Partial<SummarySources> = {}) {
  const written: string[] = [];
  const activity = new Activity();
  const out = { isTTY, columns: 200, write: (text: string) => written.push(text) };
  const sources: SummarySources = {
    ...{ title: 'run live', mode: 'LIVE', activity, state: () => 'READY', feed: () => null },
    ...{ portfolios: () => [], lags: () => [], backlog: () => 0, ...more },
  };
  const shown = new Summary(sources, out as unknown as NodeJS.WriteStream);
  /** What it writes next, line by line. */
  const next = (): string[] => {
    shown.stop();
    return written.splice(0).join('').trimEnd().split('\n');
  };
  return { activity, next };
}

function lifted(at: number): AnyEvent {
  return { type: 'halt.lifted', occurredAt: at, data: { source: `source ${at}` } } as unknown as AnyEvent;
}

describe('Plain lines of the summary', () => {
  it('leave out no decision of the last seconds, and say so when there were too many', () => {
    const { activity, next } = summary(false);
    for (let at = 1; at <= 30; at += 1) activity.watch(lifted(at));
    expect(next()).toHaveLength(31);
    expect(next()).toHaveLength(1);
    for (let at = 1; at <= 600; at += 1) activity.watch(lifted(at));
    const lines = next();
    expect(lines[0]).toBe('[LIVE] … 100 earlier notes left out');
    expect(lines).toHaveLength(502);
  });

  it('tell why there are no prices as long as the feed is not connected', () => {
    let state: 'connecting' | 'connected' = 'connecting';
    const { next } = summary(false, { feed: () => ({ state, detail: 'no answer yet' }) });
    expect(next()).toEqual(['[LIVE] feed connecting: no answer yet', expect.stringContaining('0 ticks/s')]);
    state = 'connected';
    expect(next()).toEqual([expect.stringContaining('0 ticks/s')]);
  });
});

describe('The screen', () => {
  it('shows the feed and the last eight notes', () => {
    const { activity, next } = summary(true, { feed: () => ({ state: 'connected', detail: 'HyperLiquid' }) });
    for (let at = 1; at <= 30; at += 1) activity.watch(lifted(at));
    const lines = next();
    expect(lines).toContain('feed connected: HyperLiquid');
    expect(lines.filter((line) => line.includes('lifted'))).toHaveLength(8);
    expect(lines.at(-1)).toContain('source 30');
  });
});
