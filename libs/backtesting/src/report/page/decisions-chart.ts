import type uPlotType from 'uplot';
import type { DecisionColumns } from '../embedded';
import { decimal, minute, words } from '../format';
import { Chart, hosts } from './chart';
import { running } from './unpack';

/** Scores of the decisions against the threshold: approvals are filled dots, failures hollow ones. */
export function drawDecisions(decisions: DecisionColumns): void {
  const at = running(decisions.at);
  const score = (isApproved: number) =>
    decisions.score.map((value, i) => (decisions.isApproved[i] === isApproved ? value : null));
  const dots = (color: string, fill: string): uPlotType.Series => ({
    stroke: color,
    paths: () => null,
    points: { show: true, size: decisions.id.length > 500 ? 4 : 7, width: 1, stroke: color, fill },
  });
  for (const host of hosts('decisions')) {
    new Chart(host, {
      data: [at, score(1), score(0), decisions.threshold],
      options: (colors) => ({
        series: [
          {},
          dots(colors.accent, colors.accent),
          dots(colors.loss, 'transparent'),
          { stroke: colors.muted, width: 1.5, dash: [6, 4], points: { show: false } },
        ],
        scales: { y: { range: [0, 105] } },
        axes: [{}, { values: (_, ticks) => ticks.map((tick) => decimal(tick, 0)) }],
        ms: 1,
      }),
      read: (i) => {
        const outcome = decisions.isApproved[i] === 1 ? 'approved' : 'failed';
        const reached = decisions.score[i] == null ? 'no score' : `score ${decimal(decisions.score[i]!, 1)}`;
        return `${minute(at[i]!)} ${decisions.token[i]}: ${outcome}, ${reached} against ${decisions.threshold[i]}, ${words(decisions.reason[i]!)}`;
      },
    }).draw();
  }
}
