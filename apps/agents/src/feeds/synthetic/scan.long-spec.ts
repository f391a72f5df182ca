import { judge } from '../testing/judged-market';
import { ManualClock } from '../testing/manual-clock';
import { SyntheticFeed } from './feed';
it('scan', async () => {
  const starts = (process.env.STARTS ?? '1763900000000').split(',').map(Number);
  const seeds = Number(process.env.SEEDS ?? 20);
  for (const start of starts) {
    let ok = 0; const lines: string[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const clock = new ManualClock(start);
      const feed = new SyntheticFeed({ config: { seed }, clock });
      const counts: Record<string, number> = {};
      const approvals: string[] = [];
      const t = Date.now();
      await judge(feed, clock, { minutes: 120, latencyMs: 300, seen: (e) => {
        if (e.headers?.warmup) return;
        const k = e.type === 'signal.generated' ? `${e.data.agent} ${e.data.windowId ? 'ans' : 'open'} ${e.data.action}` : e.type === 'signal.consensus_failed' ? `failed ${e.data.reason}` : e.type;
        counts[k] = (counts[k] ?? 0) + 1;
        if (e.type === 'trade.consensus_approved') approvals.push(`${e.data.token}:${Math.round((e.occurredAt - start) / 60000)}${e.data.recommended_action[0]}${e.data.consensus_score.toFixed(0)}[${e.data.contributing_agents.map((a) => a[0]).join('')}]`);
      } });
      if (approvals.length) ok++;
      lines.push(`${seed} ${Date.now() - t}ms ${approvals.length}: ${approvals.join(' ')}`);
      if (process.env.V) lines.push(JSON.stringify(counts));
    }
    console.log(start, ok, '\n' + lines.join('\n'));
  }
});
