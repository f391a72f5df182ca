import type { VersionsByType } from '@moon/events';
import { AssignerProtocol } from 'kafkajs';
import { describeKafkaError, kafkaClient, KafkaUnavailable, type KafkaSettings } from './kafka-config';

/** What a member of a consumer group tells the others of the versions of events that it can read, and that it emits. */
export interface MemberContracts {
  /** Names its process. */
  owner: string;
  /** Newest versions that it reads; of types that are left out only the first. */
  reads: VersionsByType;
  /** Versions that it emits; of types that are left out the first. */
  emits: VersionsByType;
}

export interface LiveMember {
  group: string;
  memberId: string;
  /** null: it says nothing of them, as code before these were told does. */
  contracts: MemberContracts | null;
}

/**
 * The present members of some groups, those that have fallen silent within the session time too; not those of a group that is just
 * being divided anew.
 * @throws KafkaUnavailable
 */
export async function liveMembers(settings: KafkaSettings, groups: readonly string[]): Promise<LiveMember[]> {
  const admin = kafkaClient(settings).admin();
  try {
    await admin.connect();
    const described = await admin.describeGroups([...groups]);
    return described.groups.flatMap(({ groupId, members }) =>
      members
        // While a group divides its shards, brokers tell nothing of its members.
        .filter(({ memberMetadata }) => memberMetadata.length > 0)
        .map(({ memberId, memberMetadata }) => {
          return { group: groupId, memberId, contracts: contractsOf(memberMetadata) };
        }),
    );
  } catch (error) {
    throw new KafkaUnavailable(describeKafkaError(error, settings), error);
  } finally {
    await admin.disconnect();
  }
}

function contractsOf(metadata: Buffer): MemberContracts | null {
  const decoded = AssignerProtocol.MemberMetadata.decode(metadata);
  if (decoded === null || decoded.userData.length === 0) return null;
  const { contracts } = JSON.parse(decoded.userData.toString('utf8')) as { contracts?: MemberContracts };
  return contracts ?? null;
}
