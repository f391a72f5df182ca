import { createRequire } from 'node:module';
import { Type } from '@sinclair/typebox';
import { AssignerProtocol, type Consumer, type Kafka } from 'kafkajs';
import { gate } from '../../../kernel/src/testing/recording-listener';
import { loadConfig } from '../config';
import { GroupMember } from './group-member';
import { kafkaSchema } from './kafka-config';

/** What kafkajs makes its consumers of; no part of its types. */
const load = createRequire(__filename);
const createConsumer = load('kafkajs/src/consumer') as (options: object) => Consumer;
const { KafkaJSNonRetriableError } = load('kafkajs/src/errors') as {
  KafkaJSNonRetriableError: new (message: string) => Error;
};
const INCONSISTENT = "The group member's supported protocols are incompatible with those of existing members";

/** As much of brokers as a member needs that reads nothing. */
class Brokers {
  refusal: Error | null = null;
  failure: Error | null = null;
  /** Ending a connection waits for the answers that it is owed. */
  ending = { asked: 0, opened: Promise.resolve() };
  private joins = 0;

  readonly client = {
    consumer: (options: object) => createConsumer({ ...options, cluster: this.cluster(), logger: silent }),
  } as unknown as Kafka;

  private cluster(): object {
    const nothing = (): Promise<void> => Promise.resolve();
    return {
      ...{
        connect: nothing,
        refreshMetadata: nothing,
        addMultipleTargetTopics: nothing,
        removeBroker: () => undefined,
      },
      refreshMetadataIfNecessary: () => (this.failure ? Promise.reject(this.failure) : Promise.resolve()),
      committedOffsets: () => ({}),
      getNodeIds: () => [0],
      findTopicPartitionMetadata: () => [],
      findGroupCoordinator: () => Promise.resolve(this.coordinator()),
      disconnect: () => {
        this.ending.asked += 1;
        return this.ending.opened;
      },
    };
  }

  private coordinator(): object {
    const nothing = (): Promise<void> => Promise.resolve();
    const memberAssignment = AssignerProtocol.MemberAssignment.encode({
      ...{ version: 1, assignment: {}, userData: Buffer.alloc(0) },
    });
    return {
      ...{ heartbeat: nothing, leaveGroup: nothing },
      joinGroup: () => {
        if (this.refusal) return Promise.reject(this.refusal);
        this.joins += 1;
        return Promise.resolve({
          generationId: this.joins,
          leaderId: 'other',
          memberId: `m${this.joins}`,
          members: [],
        });
      },
      syncGroup: () => Promise.resolve({ memberAssignment }),
    };
  }
}

const silent: object = {
  ...{ info: () => undefined, debug: () => undefined, warn: () => undefined, error: () => undefined },
  namespace: () => silent,
};

async function until(isMet: () => boolean): Promise<void> {
  for (let wait = 0; !isMet() && wait < 500; wait += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(isMet()).toBe(true);
}

describe('a member of a consumer group', () => {
  let brokers: Brokers;
  let member: GroupMember;
  let joined: string[];
  let crashes: unknown[];

  beforeEach(() => {
    brokers = new Brokers();
    joined = [];
    crashes = [];
    const { kafka: settings } = loadConfig(Type.Object({ kafka: kafkaSchema }), { flags: { 'kafka.maxWaitMs': 10 } });
    member = new GroupMember(
      { client: brokers.client, settings, groupId: 'agents', topics: ['price.ticks'], shards: 3, fetchIntervalMs: 0 },
      {
        claim: () => ({ memberId: null, shards: [] }),
        joined: (memberId) => joined.push(memberId),
        batch: () => undefined,
        crashed: (error) => crashes.push(error),
      },
    );
  });
  afterEach(() => member.stop());

  it('[SYS-1] is absent, and says why and what to do, when its group refuses it: the start resolves all the same', async () => {
    expect(member.absence()).toBe('not in the consumer group agents, of 3 shards: it is still to join');
    brokers.refusal = new KafkaJSNonRetriableError(INCONSISTENT);
    await member.start();
    expect(crashes).toHaveLength(1);
    expect(member.absence()).toMatch(
      /^not in the consumer group agents, of 3 shards: .* stop them first, or use their/,
    );
    brokers.refusal = null;
    await until(() => joined.length > 0);
    expect(member.absence()).toBeNull();
  });

  it('[NFA-1] takes no harm from what is asked of it while its client ends a consumer that crashed', async () => {
    await member.start();
    expect(joined).toEqual(['m1']);
    const { opened, open } = gate();
    brokers.ending = { asked: 0, opened };
    brokers.failure = new KafkaJSNonRetriableError('broken');
    await until(() => brokers.ending.asked > 0);
    expect(crashes).toEqual([]);
    const one = { topic: 'price.ticks', partition: 0 } as const;
    member.setPaused(one, true);
    member.setPaused(one, false);
    member.seek(one, 7);
    await expect(member.commit([{ ...one, offset: 7 }])).rejects.toThrow('is not in its group at the moment');
    // It may be back at once.
    expect(member.absence()).toBeNull();
    brokers.failure = null;
    open();
    await until(() => joined.length > 1);
    expect(crashes).toHaveLength(1);
    member.setPaused(one, true);
  });
});
