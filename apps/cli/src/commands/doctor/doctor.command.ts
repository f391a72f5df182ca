import type { Command } from 'commander';
import { dataDirHolder } from '@moon/infra';
import { EXIT } from '../../errors';
import { addClusterOptions, isCluster, type ClusterOptions } from '../../cluster/settings';
import type { Io } from '../../io';
import { plural } from '../../output/text';
import { dataDirOf } from '../../store/data-dir';
import { checkDisk, checkNode, checkPort, checkPrograms } from './checks/machine';
import { checkLock, checkStore } from './checks/store';
import type { Finding } from './finding';

export function addDoctorCommand(program: Command, io: Io, exit: (code: number) => void): void {
  const doctor = program
    .command('doctor')
    .description('checks machine, configuration, store and logs, and says how to mend what is wrong')
    .option(
      '--config <file>',
      'the configuration that "npm start", or with --cluster its processes, are given (default: MOON_CONFIG)',
    )
    .addHelpText('after', '\nExit code: 1 when something is wrong; notes are no errors.')
    .action(async (_options, command: Command) => exit(await runDoctor(io, command.optsWithGlobals<ClusterOptions>())));
  addClusterOptions(doctor, true);
}

async function runDoctor(io: Io, options: ClusterOptions): Promise<number> {
  const findings: Finding[] = [];
  const found = (more: readonly Finding[]): void => {
    findings.push(...more);
    if (!options.json) for (const finding of more) for (const line of render(finding)) io.out(line);
  };
  found([checkNode()]);
  if (isCluster(options)) {
    const { checkCluster } = await import('./checks/cluster');
    for await (const more of checkCluster(io, options)) found(more);
    return verdict(io, options, { findings });
  }
  // The platform's own modules are loaded for its schema; no other command has need of them.
  const { checkConfig } = await import('./checks/config');
  const config = checkConfig(io, options.config);
  found(config.findings);
  const dataDir = dataDirOf(io, options.dataDir ?? config.dataDir);
  found(checkDisk(dataDir));
  found([checkLock(dataDir), await checkPort(config.port, dataDirHolder(dataDir)?.isPlatform === true)]);
  const programs = checkPrograms();
  found([programs]);
  if (programs.status !== 'wrong') found(await checkStore(io, options, dataDir));
  return verdict(io, options, { dataDir, findings });
}

function verdict(io: Io, { json }: ClusterOptions, report: { dataDir?: string; findings: readonly Finding[] }): number {
  const { findings } = report;
  const count = (one: Finding['status']): number => findings.filter(({ status }) => status === one).length;
  const [wrongs, notes] = [count('wrong'), count('note')];
  if (json) io.out(JSON.stringify({ healthy: wrongs === 0, ...report }));
  else io.out(summary(findings.length, wrongs, notes));
  return wrongs === 0 ? EXIT.ok : EXIT.failed;
}

function summary(all: number, wrongs: number, notes: number): string {
  if (wrongs > 0) return `${wrongs} of ${all} checks found something wrong.`;
  return notes === 0 ? 'Everything is in order.' : `Nothing is wrong; see ${plural(notes, 'note')} above.`;
}

const SIGNS: Readonly<Record<Finding['status'], string>> = { ok: 'ok   ', note: 'note ', wrong: 'WRONG' };

function render({ check, status, detail, mend }: Finding): string[] {
  return [`${SIGNS[status]}  ${check}: ${detail}`, ...(mend === undefined ? [] : [`       → ${mend}`])];
}
