import { judge } from '../testing/judged-market';
import { ManualClock } from '../testing/manual-clock';
import { SyntheticFeed } from './feed';

const MINUTE = 60_000;
/** Two minutes of wall time at 60 times real time. */
const RUN_MINUTES = 120;
/** As slow as the rule-based model answers by default, ms of feed time. */
const LATENCY_MS = 300;
/** Two unrelated starts: the market of a seed is another one at another time. */
const STARTS = [1_763_900_000_000, 1_764_023_456_789];

interface Verdict {
  seed: number;
  signals: number;
  failed: number;
  /** Minutes after the start. */
  approvedAt: number[];
}

async function verdictOn(seed: number, start: number): Promise<Verdict> {
  const clock = new ManualClock(start);
  const feed = new SyntheticFeed({ config: { seed }, clock });
  const verdict: Verdict = { seed, signals: 0, failed: 0, approvedAt: [] };
  await judge(feed, clock, {
    minutes: RUN_MINUTES,
    latencyMs: LATENCY_MS,
    seen: ({ type, occurredAt, headers }) => {
      if (headers?.warmup === true) return;
      if (type === 'signal.generated') verdict.signals += 1;
      if (type === 'signal.consensus_failed') verdict.failed += 1;
      if (type === 'trade.consensus_approved') verdict.approvedAt.push(Math.floor((occurredAt - start) / MINUTE));
    },
  });
  return verdict;
}

describe('the synthetic market, judged by the platform’s own agents with their defaults', () => {
  it.each(STARTS)(
    'is traded within two hours of feed time on nearly every one of seeds 1–20, begun at %i',
    async (start) => {
      const verdicts: Verdict[] = [];
      for (let seed = 1; seed <= 20; seed += 1) verdicts.push(await verdictOn(seed, start));
      const lines = verdicts.map(({ seed, signals, failed, approvedAt }) =>
        [
          `seed ${seed}`,
          `${signals} signals`,
          `${failed} refused`,
          `${approvedAt.length} approved`,
          `minutes ${approvedAt.join(' ')}`,
        ].join(', '),
      );
      console.log(lines.join('\n'));
      const approved = verdicts.filter(({ approvedAt }) => approvedAt.length > 0);
      const withMargin = verdicts.filter(
        ({ approvedAt }) => approvedAt.length >= 2 && (approvedAt[0] ?? RUN_MINUTES) <= 90,
      );
      expect(approved.length).toBeGreaterThanOrEqual(19);
      expect(withMargin.length).toBeGreaterThanOrEqual(18);
      // Not everything is approved: there are signals that the other agents do not share.
      expect(verdicts.filter(({ failed }) => failed > 0).length).toBeGreaterThanOrEqual(15);
    },
  );
});
