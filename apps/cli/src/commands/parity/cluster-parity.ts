import {
  checkClusterParity,
  recorderLag,
  type ClusterConfig,
  type ClusterParityReport,
  type ShardParity,
} from '@moon/cluster';
import { withCluster } from '../../cluster/read-log';
import type { ClusterOptions } from '../../cluster/settings';
import { sentenceOf } from '../../errors';
import type { Io } from '../../io';
import { table } from '../../output/table';
import { count, cut, plural } from '../../output/text';
import { renderDivergence } from './render';

const REASON_WIDTH = 60;

/** Compares every shard of a deployment. @returns whether all that could be compared is equal */
export async function compareCluster(
  io: Io,
  options: ClusterOptions & { shard?: string[] },
  codeVersion: string,
): Promise<boolean> {
  return withCluster(io, options, async ({ config, reader, run }) => {
    const startedAt = performance.now();
    const { journals, archive, log } = reader;
    const report = await checkClusterParity({
      record: { journals, archive, log },
      codeVersion,
      recorderLag: () => lagOf(io, config.kafka),
      onShard: ({ shard, compared }) => io.terminal?.write(`${shard}: ${plural(compared, 'event')} compared\n`),
      signal: io.signal,
      ...(options.shard && { only: options.shard }),
    });
    const seconds = (performance.now() - startedAt) / 1_000;
    if (options.json) io.out(JSON.stringify({ run: run.runId, ...report }));
    else for (const line of renderCluster(report)) io.out(line);
    for (const note of report.notes) io.err(note);
    const inputs = report.messages + report.ownInputs;
    io.err(
      `The ${run.runId}: ${plural(report.shards.length, 'shard')}, ${count(inputs)} inputs in ${seconds.toFixed(1)} s.`,
    );
    return report.equal;
  });
}

/** Parity needs no broker; only what is missing at the end cannot be told from what is late then. */
async function lagOf(io: Io, kafka: ClusterConfig['kafka']): Promise<number> {
  try {
    return Object.values(await recorderLag(kafka)).reduce((sum, lag) => sum + lag, 0);
  } catch (error) {
    io.err(
      `${sentenceOf(error)} Whether everything is archived is not known: what is missing at the end counts as late.`,
    );
    return Infinity;
  }
}

function renderCluster(report: ClusterParityReport): string[] {
  const { compared, messages, ownInputs, operational, pending } = report;
  const shards = plural(report.shards.length, 'shard');
  const lines = [
    report.equal
      ? `EQUAL: all ${count(compared)} events that the handlers of ${shards} emitted are made again, the same in id, data and order.`
      : `NOT EQUAL: ${plural(report.divergences, 'divergence')} in ${plural(compared, 'compared event')} of ${shards}.`,
    `Handled again: ${plural(messages, 'message')} of the brokers, in the order of the journals, and ${plural(ownInputs, 'input')} of the shards’ own. ` +
      `Left out: ${plural(operational, 'operational event')}.`,
  ];
  if (pending > 0) lines.push(`${plural(pending, 'event')} published at the end, and not archived yet.`);
  const columns = ['shard', 'inputs', 'compared', 'position', 'result'].map((title) => ({ title }));
  lines.push('', ...table(columns, report.shards.map(rowOf)));
  if (report.firstDivergence)
    lines.push('', `In shard ${report.firstDivergence.shard}:`, ...renderDivergence(report.firstDivergence));
  return lines;
}

function rowOf({ shard, messages, ownInputs, compared, seq, ...found }: ShardParity): string[] {
  const { impossible, equal, divergences, waitsAt } = found;
  const end = waitsAt === null ? '' : ', its end is not archived yet';
  const result =
    impossible === null ? (equal ? `equal${end}` : plural(divergences, 'divergence')) : cut(impossible, REASON_WIDTH);
  return [shard, count(messages + ownInputs), count(compared), count(seq), result];
}
