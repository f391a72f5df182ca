import { setTimeout as pause } from 'node:timers/promises';
import { EmittedVersions, VersionUnknown, type VersionsByType } from '@moon/events';
import { ConfigError, KafkaUnavailable, liveMembers, type LiveMember, type MemberContracts } from '@moon/infra';
import type { ClusterConfig } from './config';
import { groupNames } from './connections';

const LOOK_MS = 1_000;
/** A member that died is among the living until its session ends; so much longer the brokers may take. */
const GRACE_MS = 2_000;

/** @throws ConfigError */
export function emittedVersions({ contracts }: Pick<ClusterConfig, 'contracts'>): EmittedVersions {
  try {
    return new EmittedVersions(contracts.emit);
  } catch (error) {
    if (error instanceof VersionUnknown) throw new ConfigError([`"contracts.emit": ${error.message}`]);
    throw error;
  }
}

/**
 * A new version of an event is read everywhere before anyone emits it: a process that would emit what a live one cannot
 * read does not start, nor does one that could not read what is emitted.
 * @throws ConfigError who stands in the way, and what to do; KafkaUnavailable
 */
export async function checkContracts(config: ClusterConfig, own: MemberContracts): Promise<void> {
  const groups = groupNames(config);
  const until = performance.now() + config.kafka.sessionTimeoutMs + GRACE_MS;
  for (;;) {
    const isLate = performance.now() > until;
    try {
      const problems = contractProblems(own, await liveMembers(config.kafka, groups));
      if (problems.length === 0) return;
      if (isLate) throw new ConfigError(problems);
    } catch (error) {
      // A new cluster, or one that has just lost a broker, has no coordinator for some groups yet.
      if (!(error instanceof KafkaUnavailable) || isLate) throw error;
    }
    await pause(LOOK_MS);
  }
}

/** One sentence for each process and type that does not fit. */
export function contractProblems(own: MemberContracts, members: readonly LiveMember[]): string[] {
  const problems = members.flatMap((member) => {
    const { owner, reads, emits } = member.contracts ?? { owner: member.memberId, reads: {}, emits: {} };
    const unread = newerOf(own.emits, reads).map(
      ([type, emitted, read]) =>
        `${owner} reads ${type} up to version ${read}, and this process would emit version ${emitted}: start it with ` +
        `"contracts.emit" {"${type}": ${read}} until every process runs this code, then roll once more without.`,
    );
    const unreadable = newerOf(emits, own.reads).map(
      ([type, emitted, read]) =>
        `${owner} emits ${type} at version ${emitted}, and this process reads up to version ${read}: run the newer code, or ` +
        `first let every process emit {"${type}": ${read}} by "contracts.emit".`,
    );
    return [...unread, ...unreadable];
  });
  return [...new Set(problems)];
}

/** Types whose first version is above the second, with both. */
function newerOf(one: VersionsByType, other: VersionsByType): Array<[type: string, one: number, other: number]> {
  return Object.entries(one).flatMap(([type, version]) => {
    const known = other[type] ?? 1;
    return version > known ? [[type, version, known] as [string, number, number]] : [];
  });
}
