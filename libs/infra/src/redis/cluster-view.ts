import { Redis } from 'ioredis';
import { nodesOf, type RedisConfig, type RedisNode } from './config';
import { RedisUnusable } from './errors';

/** One node of a cluster, as another (or itself) sees it. */
export interface ClusterMember extends RedisNode {
  isPrimary: boolean;
  /** Most primaries hold it for dead. */
  hasFailed: boolean;
  /** Of two that claim a slot, the one with the greater epoch came later. */
  epoch: number;
  /** Slots that it owns, as ranges with both ends. */
  ranges: readonly (readonly [number, number])[];
}

/** What one node says. */
interface View {
  /** The slot of the key that was asked for. */
  slot: number;
  /** Whether it takes commands: every slot has an owner that works. */
  isOk: boolean;
  members: ClusterMember[];
}

const nameOf = ({ host, port }: RedisNode): string => `${host}:${port}`;
export const isSameNode = (one: RedisNode, other: RedisNode): boolean => nameOf(one) === nameOf(other);

/** Asks the nodes of a Redis Cluster, each on a connection of its own, who owns the slot of a key. */
export class ClusterView {
  private readonly configured: readonly RedisNode[];
  private readonly known = new Map<string, RedisNode>();

  /** @param key any key of the slot */
  constructor(
    private readonly config: RedisConfig,
    private readonly key: string,
  ) {
    this.configured = nodesOf(config);
  }

  /**
   * Who owns the slot: the newest claim that more than half of the nodes know of, or all that answer.
   *
   * @throws RedisUnusable when nobody owns it, or the cluster takes no commands
   * @throws AggregateError with what each node said, when none answers
   */
  async owner(): Promise<ClusterMember> {
    const views = await this.views();
    const { slot } = views[0]!;
    const claim = newestClaim(views);
    const isDown = views.every(({ isOk }) => !isOk);
    if (claim !== null && !claim.hasFailed && !isDown) return claim;
    const what =
      claim === null
        ? `no node owns slot ${slot}`
        : isDown
          ? 'a slot has no owner that works'
          : `${nameOf(claim)} failed`;
    throw new RedisUnusable(
      `The Redis Cluster at ${this.config.nodes.join(', ')} takes no commands (${what}): see "redis-cli --cluster check".`,
      false,
    );
  }

  /** Whom one node, any but this one, holds for the owner. Null when it knows of none. */
  async ownerByAnother(than: RedisNode): Promise<ClusterMember | null> {
    const others = this.all().filter((node) => !isSameNode(node, than));
    const node = others[Math.floor(Math.random() * others.length)];
    return node === undefined ? null : newestClaim([await this.ask(node)]);
  }

  /** All primaries that are not held for dead. */
  async primaries(): Promise<ClusterMember[]> {
    const views = await this.views();
    // One that is behind lists a primary that is none any more: it is asked, too.
    const found = views.flatMap(({ members }) => members.filter((one) => one.isPrimary && !one.hasFailed));
    return [...new Map(found.map((one) => [nameOf(one), one])).values()];
  }

  /**
   * A connection to one node for a few commands; each is answered within the timeout or fails.
   *
   * @throws whatever went wrong first
   */
  async visit<T>(node: RedisNode, action: (client: Redis) => Promise<T>): Promise<T> {
    const { username, password, tls, timeoutMs } = this.config;
    const client = new Redis({
      ...{ host: node.host, port: node.port, connectionName: 'moon-cluster' },
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(tls && { tls: {} }),
      ...{ connectTimeout: timeoutMs, commandTimeout: timeoutMs, retryStrategy: () => null },
      ...{ maxRetriesPerRequest: 0, enableReadyCheck: false, disableClientInfo: true },
    });
    let first: Error | null = null;
    client.on('error', (error: Error) => (first ??= error));
    try {
      return await action(client);
    } catch (error) {
      // The command only says that the connection was closed.
      throw first ?? error;
    } finally {
      client.disconnect();
    }
  }

  private all(): RedisNode[] {
    const nodes = [...this.configured, ...this.known.values()];
    return [...new Map(nodes.map((node) => [nameOf(node), node])).values()];
  }

  /** What more than half of the nodes say, so that a frozen one holds up nobody; else what those say that answer. */
  private async views(): Promise<View[]> {
    const nodes = this.all();
    const views: View[] = [];
    const errors: Error[] = [];
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        const isAll = views.length + errors.length === nodes.length;
        if (views.length > nodes.length / 2 || (isAll && views.length > 0)) resolve();
        else if (isAll) reject(new AggregateError(errors, `no node of ${nodes.map(nameOf).join(', ')} answers`));
      };
      for (const node of nodes) {
        this.ask(node)
          .then(
            (view) => views.push(view),
            (error: Error) => errors.push(error),
          )
          .finally(settle);
      }
    });
    this.known.clear();
    for (const { members } of views)
      for (const { host, port } of members) this.known.set(`${host}:${port}`, { host, port });
    return [...views];
  }

  private ask(node: RedisNode): Promise<View> {
    return this.visit(node, async (client) => {
      const [slot, state, nodes] = await Promise.all([
        client.cluster('KEYSLOT', this.key),
        client.cluster('INFO'),
        client.cluster('NODES'),
      ]);
      return { slot, isOk: !/cluster_state:fail/.test(state as string), members: membersOf(nodes as string, node) };
    });
  }
}

function newestClaim(views: readonly View[]): ClusterMember | null {
  let newest: ClusterMember | null = null;
  for (const { slot, members } of views) {
    for (const member of members) {
      const isClaim = member.isPrimary && member.ranges.some(([from, to]) => slot >= from && slot <= to);
      if (isClaim && (newest === null || member.epoch > newest.epoch)) newest = member;
    }
  }
  return newest;
}

/**
 * The answer to CLUSTER NODES: `ID HOST:PORT@BUS[,NAME…] FLAGS PRIMARY PING PONG EPOCH LINK SLOTS…` a line; slots that are
 * on their way to another node stand there as `[SLOT->-ID]`, and still are the node's.
 *
 * @param asked who answers: a node that nobody has told its address does not know it
 */
export function membersOf(text: string, asked: RedisNode): ClusterMember[] {
  return text.split('\n').flatMap((line): ClusterMember[] => {
    const [, address = '', flagText = '', , , , epoch = '0', , ...slots] = line.trim().split(' ');
    const flags = flagText.split(',');
    const [, host, port] = /^(.*):(\d+)(?:@.*)?$/.exec(address) ?? [];
    if (host === undefined || flags.includes('noaddr') || flags.includes('handshake')) return [];
    const ranges = slots.flatMap((slot): [number, number][] => {
      const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(slot) ?? [];
      return from === undefined ? [] : [[Number(from), Number(to ?? from)]];
    });
    return [
      {
        ...{ host: host === '' ? asked.host : host, port: Number(port), epoch: Number(epoch), ranges },
        ...{ isPrimary: flags.includes('master'), hasFailed: flags.includes('fail') },
      },
    ];
  });
}
