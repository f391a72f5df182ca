import type { TopicName } from '@moon/events';
import type { BusConsumer, BusListener, BusPartition, BusPosition } from '@moon/kernel';
import type { EachBatchPayload } from 'kafkajs';
import type { Logger } from '../telemetry';
import { CatchUp } from './catch-up';
import { Committer } from './committer';
import { GroupMember } from './group-member';
import { describeKafkaError, kafkaClient, KafkaUnavailable, type KafkaSettings } from './kafka-config';
import { Lane, type Hold } from './lane';
import { LaneBudget, type LaneLimits } from './lane-budget';
import { LaneEnds } from './lane-ends';
import { LaneStarts } from './lane-starts';
import type { MemberContracts } from './member-contracts';
import { Membership } from './membership';
import { Positions } from './positions';
import { partitionsOf, requireMultiple } from './shard-assigner';
import { Standstill } from './standstill';

export interface KafkaConsumerOptions extends LaneLimits {
  settings: KafkaSettings;
  logger?: Logger;
  groupId: string;
  /** Keyed topics; the number of partitions of each is a multiple of `shards`. */
  topics: readonly TopicName[];
  shards: number;
  /** Where a partition starts whose position neither its owner nor the group knows. Default: at the beginning. */
  from?: 'beginning' | 'end';
  /**
   * Fetches begin together, so far apart, ms; default: `kafka.fetchIntervalMs`. More is for who is in no hurry: an answer costs
   * by its partitions, as much for one message as for a hundred, and so does every look of a broker at a fetch that waits.
   */
  fetchIntervalMs?: number;
  /** What it tells the other members of its group. */
  contracts?: MemberContracts;
  /** One line: what went wrong. The consumer goes on by itself. */
  onTrouble?: (problem: string) => void;
}

const LAST_COMMIT_MS = 1000;
/** Equal answers to another question in a row: of older fetches there is at most one for each broker that led the partition. */
const MOST_STRAYS = 8;

/**
 * A member of a group that reads shards. The fetching loop only fills lanes; whatever the owner takes its time for, the
 * heartbeat goes on, and a rebalance moves a shard only after its owner has let go of it.
 */
export class KafkaConsumer implements BusConsumer {
  private readonly positions: Positions;
  private readonly starts: LaneStarts;
  private readonly member: GroupMember;
  private readonly membership: Membership;
  private readonly committer: Committer;
  private readonly lanes = new Map<string, Lane>();
  private readonly budget: LaneBudget;
  private readonly ownerHolds = new Set<string>();
  private readonly standstill = new Standstill();
  private counts = new Map<string, number>();
  /** What the group gave at the last join: to be paused until its lane is there. */
  private given: Readonly<Record<string, number[]>> = {};
  private listener: BusListener | null = null;
  private readonly ends: LaneEnds;
  private readonly catchUp: CatchUp;
  private isStopped = false;

  constructor(private readonly options: KafkaConsumerOptions) {
    const { settings, logger, groupId, topics, shards } = options;
    this.budget = new LaneBudget(options, {
      lanes: () => this.lanes.values(),
      hold: (lane, isHeld) => this.hold(lane, 'bytes', isHeld),
    });
    const client = kafkaClient(settings, logger);
    this.positions = new Positions(client, groupId);
    this.ends = new LaneEnds(this.positions, {
      lanes: () => this.lanes.values(),
      // The lag is as old as the last answer; an outage is said by those who need the broker more.
      onError: (error, topic) => logger?.debug({ topic, error: messageOf(error) }, 'Ends of partitions not known'),
    });
    this.catchUp = new CatchUp(this.positions, {
      handled: (partition) => this.lanes.get(nameOf(partition))?.handled ?? -1,
      isStopped: () => this.isStopped,
    });
    this.starts = new LaneStarts(this.positions, {
      from: options.from ?? 'beginning',
      expired: (from, wanted, first) => this.listener!.expired(from, wanted, first),
      isStopped: () => this.isStopped,
      onTrouble: (problem) => this.trouble(`${groupId}: ${problem}`),
    });
    this.membership = new Membership({
      assign: (own) => this.assign(own),
      revoke: (own) => this.revoke(own),
      rejoin: () => this.member.rejoin(),
      onError: (error, what) => this.trouble(`${groupId}: ${what}: ${messageOf(error)}`),
    });
    this.member = new GroupMember(
      {
        client,
        settings,
        groupId,
        topics,
        shards,
        fetchIntervalMs: options.fetchIntervalMs ?? settings.fetchIntervalMs,
      },
      {
        claim: () => ({ ...this.membership.claim(), ...(options.contracts && { contracts: options.contracts }) }),
        joined: (memberId, assignment) => this.joined(memberId, assignment),
        batch: (payload) => this.take(payload),
        crashed: (error) => this.trouble(`${groupId}: ${describeKafkaError(error, settings)}`),
      },
    );
    this.committer = new Committer({
      commit: (positions) => this.member.commit(positions),
      owns: (partition) => this.lanes.has(nameOf(partition)),
      onError: (error, failures) => {
        if (failures % 10 === 3) this.trouble(`${groupId}: committing offsets: ${messageOf(error)}`);
      },
    });
  }

  /**
   * Resolves when the member has joined its group.
   * @throws KafkaUnavailable no broker answers, or it refuses the user
   * @throws Error a topic does not exist, or its partitions cannot be divided into the shards
   */
  async start(listener: BusListener): Promise<void> {
    if (this.listener !== null) throw new Error(`The consumer of ${this.options.groupId} was started before.`);
    this.listener = listener;
    const { topics, shards, settings } = this.options;
    try {
      this.counts = await this.positions.counts(topics);
    } catch (error) {
      throw new KafkaUnavailable(describeKafkaError(error, settings), error);
    }
    const missing = topics.filter((topic) => !this.counts.has(topic));
    if (missing.length > 0) {
      throw new Error(`Topics ${missing.join(', ')} do not exist: create the topics of the catalog first.`);
    }
    for (const [topic, count] of this.counts) requireMultiple(topic, count, shards);
    this.ends.start();
    await this.member.start();
  }

  partitions(topics: readonly TopicName[]): BusPartition[] {
    return topics.flatMap((topic) =>
      Array.from({ length: this.counts.get(topic) ?? 0 }, (_, partition) => ({ topic, partition })),
    );
  }

  seek(to: BusPosition): void {
    const lane = this.lanes.get(nameOf(to));
    if (lane === undefined) return;
    lane.seek(to.offset);
    if (!lane.holds.has('assigning')) this.member.seek(lane, to.offset);
    this.budget.weigh(lane);
  }

  commit(next: readonly BusPosition[]): Promise<void> {
    return this.committer.add(next);
  }

  /** The same for who does not wait for it: within a second, or when the partitions are given away. */
  commitSoon(next: readonly BusPosition[]): void {
    this.committer.addLater(next);
  }

  pause(partitions: readonly BusPartition[]): void {
    for (const partition of partitions) {
      this.ownerHolds.add(nameOf(partition));
      this.hold(this.lanes.get(nameOf(partition)), 'owner', true);
    }
  }

  resume(partitions: readonly BusPartition[]): void {
    for (const partition of partitions) {
      this.ownerHolds.delete(nameOf(partition));
      const lane = this.lanes.get(nameOf(partition));
      this.hold(lane, 'owner', false);
      lane?.pump();
    }
  }

  caughtUp(partitions: readonly BusPartition[], patienceMs: number): Promise<boolean> {
    return this.catchUp.wait(partitions, patienceMs);
  }

  lag(): Readonly<Partial<Record<TopicName, number>>> {
    const lags: Partial<Record<TopicName, number>> = {};
    for (const { topic, lag } of this.lanes.values()) lags[topic] = (lags[topic] ?? 0) + lag;
    return lags;
  }

  /** Longest time for which a partition with messages has delivered none, wall ms, to whoever asks now and then. */
  standstillMs(): number {
    return this.standstill.look(this.lanes.values(), performance.now());
  }

  /** See `GroupMember`: what keeps it from reading anything. */
  absence(): string | null {
    return this.member.absence();
  }

  async stop(): Promise<void> {
    if (this.isStopped) return;
    this.isStopped = true;
    this.ends.stop();
    await this.membership.stop();
    this.committer.stop();
    await this.member.stop();
    await this.positions.close();
  }

  /** kafkajs forgets positions at every join: they are set again, so that nothing comes twice. */
  private joined(memberId: string, assignment: Readonly<Record<string, number[]>>): void {
    this.given = assignment;
    const shards = new Set<number>();
    for (const [topic, partitions] of Object.entries(assignment)) {
      this.noteCount(topic, Math.max(-1, ...partitions));
      for (const partition of partitions) {
        shards.add(partition % this.options.shards);
        const lane = this.lanes.get(`${topic}/${partition}`);
        this.member.setPaused({ topic, partition }, lane === undefined || lane.holds.size > 0);
        if (lane?.next != null) this.member.seek(lane, lane.next);
      }
    }
    const { groupId } = this.options;
    this.options.logger?.info({ groupId, memberId, shards: [...shards] }, 'Joined the consumer group');
    this.membership.joined(memberId, [...shards]);
  }

  /** The group was told of partitions that were added since the start: they come in whole rounds of shards. */
  private noteCount(topic: string, last: number): void {
    const { shards, groupId } = this.options;
    const [known, count] = [this.counts.get(topic) ?? 0, last - (last % shards) + shards];
    if (last < 0 || count <= known) return;
    this.counts.set(topic, count);
    const isRead = [...this.lanes.values()].some((lane) => lane.topic === topic);
    if (isRead)
      this.trouble(
        `${groupId}: ${topic} has ${count} partitions now, not ${known}: start every process again to read them.`,
      );
  }

  private take({ batch, resolveOffset }: EachBatchPayload): void {
    const lane = this.lanes.get(`${batch.topic}/${batch.partition}`);
    if (lane === undefined || lane.next === null || lane.holds.has('assigning')) return;
    lane.end = Number(batch.highWatermark);
    const asked = askedFor(batch);
    if (asked !== lane.next && asked !== lane.hole) {
      this.askAgain(lane, asked);
      return;
    }
    lane.strays = 0;
    resolveOffset(batch.lastOffset());
    lane.offer(batch.messages, Number(batch.lastOffset()) + 1);
    this.budget.weigh(lane);
  }

  /** An answer to an older question: taken for this one's, it would leave a hole. When no other comes, the broker is asked why. */
  private askAgain(lane: Lane, asked: number): void {
    lane.strays = asked === lane.strayAt ? lane.strays + 1 : 1;
    lane.strayAt = asked;
    this.member.seek(lane, lane.next!);
    if (lane.strays % MOST_STRAYS !== 0) return;
    // It is fetched no more until the broker has been asked.
    this.hold(lane, 'asking', true);
    this.starts
      .explain(lane, asked)
      .catch((error: unknown) => this.trouble(`${this.options.groupId}: ${messageOf(error)}`))
      .finally(() => {
        this.hold(lane, 'asking', false);
        if (lane.next !== null) this.member.seek(lane, lane.next);
      })
      .catch((error: unknown) => this.trouble(`${this.options.groupId}: ${messageOf(error)}`));
  }

  private async assign(shards: readonly number[]): Promise<void> {
    const lanes: Lane[] = [];
    for (const [topic, partitions] of Object.entries(partitionsOf(shards, this.options.shards, this.counts))) {
      for (const partition of partitions) lanes.push(this.open(topic as TopicName, partition));
    }
    try {
      await this.listener!.assigned(shards);
    } catch (error) {
      for (const lane of lanes) this.lanes.delete(nameOf(lane));
      throw error;
    }
    const start = (lane: Lane): void => {
      this.hold(lane, 'assigning', false);
      if (lane.next !== null) this.member.seek(lane, lane.next);
    };
    // Whose position the owner said need not wait for the others.
    const [known, unknown] = [lanes.filter(({ next }) => next !== null), lanes.filter(({ next }) => next === null)];
    known.forEach(start);
    await this.starts.find(unknown, start);
  }

  private open(topic: TopicName, partition: number): Lane {
    const lane = new Lane(topic, partition, {
      deliver: (from, messages) => this.listener!.messages(from, messages),
      skipped: (from, wanted, first) => this.starts.skipped(from, wanted, first),
      changed: () => this.budget.weighAll(),
      onError: (error) =>
        this.trouble(`${topic}/${partition}: the owner failed and gets the same again: ${messageOf(error)}`),
    });
    if (this.ownerHolds.has(nameOf(lane))) lane.holds.add('owner');
    this.lanes.set(nameOf(lane), lane);
    return lane;
  }

  private async revoke(shards: readonly number[]): Promise<void> {
    const gone = [...this.lanes.values()].filter(({ partition }) => shards.includes(partition % this.options.shards));
    for (const lane of gone) this.member.setPaused(lane, true);
    const { rebalanceTimeoutMs } = this.options.settings;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        const names = shards.join(', ');
        this.trouble(
          `${this.options.groupId}: shards ${names} were not let go of within ${rebalanceTimeoutMs} ms; the group goes on.`,
        );
        resolve();
      }, rebalanceTimeoutMs);
    });
    const closing = gone.map((lane) => lane.close());
    try {
      await Promise.race([Promise.all([this.listener!.revoked(shards), ...closing]), patience]);
      await this.lastCommit();
    } finally {
      clearTimeout(timer);
      for (const lane of gone) this.lanes.delete(nameOf(lane));
    }
  }

  /** What is not committed comes again, to whoever is next: a broker that is away does not hold up a stop. */
  private async lastCommit(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, LAST_COMMIT_MS)));
    await Promise.race([this.committer.add([]), patience]).finally(() => clearTimeout(timer));
  }

  private hold(lane: Lane | undefined, why: Hold, isHeld: boolean): void {
    if (lane === undefined || lane.holds.has(why) === isHeld) return;
    if (isHeld) lane.holds.add(why);
    else lane.holds.delete(why);
    // A partition that was given but whose shard is not ours yet stays paused.
    if (this.given[lane.topic]?.includes(lane.partition)) this.member.setPaused(lane, lane.holds.size > 0);
  }

  private trouble(problem: string): void {
    if (this.isStopped) return;
    this.options.logger?.warn({ groupId: this.options.groupId }, problem);
    this.options.onTrouble?.(problem);
  }
}

/** The offset that a fetch asked for; kafkajs has it on every batch, and not in its types. */
const askedFor = (batch: EachBatchPayload['batch']): number =>
  Number((batch as EachBatchPayload['batch'] & { fetchedOffset: string }).fetchedOffset);

const nameOf = ({ topic, partition }: BusPartition): string => `${topic}/${partition}`;
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
