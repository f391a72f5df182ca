import { num15, valuation, type ExecutionState } from '@moon/domain';
import type { FeedStatus } from '@moon/kernel';
import type { Activity } from './activity';

export interface SummarySources {
  /** SYNTHETIC, LIVE or RECORDED, and where from. */
  title: string;
  mode: 'SYNTHETIC' | 'LIVE' | 'RECORDED';
  activity: Activity;
  /** State of the system and where its health is served. */
  state: () => string;
  /** What the feed says of itself; null for recorded files. */
  feed: () => Pick<FeedStatus, 'state' | 'detail'> | null;
  portfolios: () => ReadonlyArray<readonly [name: string, state: ExecutionState | undefined]>;
  lags: () => ReadonlyArray<{ agent: string; lagMs: number; queued: number }>;
  /** Events sequenced but not stored yet. */
  backlog: () => number;
}

const EVERY_TTY_MS = 1_000;
const EVERY_LINE_MS = 5_000;
/** Notes on a terminal's screen. */
const SCREEN_NOTES = 8;

/** A compact live picture in the terminal; plain lines when the output is no terminal. */
export class Summary {
  private timer: NodeJS.Timeout | null = null;
  private last = { at: Date.now(), events: 0, ticks: 0 };
  private drawn = 0;
  /** Number of the newest note that has been printed. */
  private shown = 0;

  constructor(
    private readonly sources: SummarySources,
    private readonly out: NodeJS.WriteStream,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.show(), this.out.isTTY ? EVERY_TTY_MS : EVERY_LINE_MS);
  }

  stop(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
    this.show();
  }

  private show(): void {
    const rates = this.rates();
    if (!this.out.isTTY) {
      this.printLines(rates);
      return;
    }
    const lines = this.screen(rates);
    const up = this.drawn > 0 ? `\u001b[${this.drawn}A\u001b[0J` : '';
    const width = Math.max(40, this.out.columns || 100);
    this.out.write(`${up}${lines.map((line) => line.slice(0, width - 1)).join('\n')}\n`);
    this.drawn = lines.length;
  }

  private printLines({ events, ticks }: { events: number; ticks: number }): void {
    const { activity, mode } = this.sources;
    const fresh = activity.notes.filter((note) => note.n > this.shown);
    const leftOut = (fresh[0]?.n ?? this.shown + 1) - this.shown - 1;
    this.shown = fresh.at(-1)?.n ?? this.shown;
    if (leftOut > 0) this.out.write(`[${mode}] … ${leftOut} earlier notes left out\n`);
    for (const note of fresh) this.out.write(`[${mode}] ${clock(note.at)} ${note.text}\n`);
    const money = this.portfolioLines().join(' | ');
    const feed = this.sources.feed();
    if (feed && feed.state !== 'connected' && feed.state !== 'stopped')
      this.out.write(`[${mode}] feed ${feed.state}: ${feed.detail}\n`);
    this.out.write(
      `[${mode}] ${clock(activity.lastAt)} ${ticks.toFixed(0)} ticks/s ${events.toFixed(0)} events/s | ` +
        `${activity.events} events, ${activity.decisions} decisions, ${activity.orders} orders, ${activity.fills} fills | ${money}\n`,
    );
  }

  private screen({ events, ticks }: { events: number; ticks: number }): string[] {
    const { activity, title, mode, state, lags, backlog } = this.sources;
    const feed = this.sources.feed();
    const slow = lags().filter(({ lagMs, queued }) => lagMs > 0 || queued > 0);
    const agents =
      slow.map(({ agent, lagMs, queued }) => `${agent.replace('agent/', '')} ${lagMs} ms (${queued})`).join(', ') ||
      'all up to date';
    return [
      `Moon EDA  ${mode}  ${title}`,
      `${state()}   run time ${clock(activity.lastAt)}`,
      ...(feed ? [`feed ${feed.state}: ${feed.detail}`] : []),
      `${ticks.toFixed(0)} ticks/s  ${events.toFixed(0)} events/s  ${activity.events} events  ${backlog()} waiting for the store`,
      `${activity.signals} signals  ${activity.decisions} decisions  ${activity.orders} orders  ${activity.fills} fills`,
      `agents: ${agents}`,
      ...this.portfolioLines(),
      ...activity.notes.slice(-SCREEN_NOTES).map((note) => `  ${clock(note.at)}  ${note.text}`),
    ];
  }

  private portfolioLines(): string[] {
    return this.sources.portfolios().map(([name, state]) => {
      if (!state?.portfolio) return `${name}: not opened yet`;
      const value = valuation(state.portfolio, state.prices.marks, this.sources.activity.lastAt, null);
      const held =
        value.positions.map(({ instrument, quantity }) => `${num15(quantity)} ${instrument}`).join(', ') || 'flat';
      const halts = [...state.portfolio.halts, ...state.globalHalts].map((halt) => halt.source).join(', ');
      return `${name}: ${halts === '' ? '' : `HALTED by ${halts}, `}equity ${value.equity.toFixed(2)} (${value.unrealisedPnl.toFixed(2)} open), leverage ${value.leverage.toFixed(2)}, ${held}`;
    });
  }

  private rates(): { events: number; ticks: number } {
    const { activity } = this.sources;
    const now = Date.now();
    const seconds = Math.max(0.001, (now - this.last.at) / 1_000);
    const rates = {
      events: (activity.events - this.last.events) / seconds,
      ticks: (activity.ticks - this.last.ticks) / seconds,
    };
    this.last = { at: now, events: activity.events, ticks: activity.ticks };
    return rates;
  }
}

function clock(at: number): string {
  return at === 0 ? '--' : new Date(at).toISOString().slice(0, 19).replace('T', ' ');
}
