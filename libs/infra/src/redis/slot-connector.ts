import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions } from 'ioredis';
import { isSameNode, type ClusterMember, type ClusterView } from './cluster-view';

/** How ioredis hears of what goes wrong while it connects. */
type Tell = (type: string, error: Error) => void;

export interface SlotConnectorOptions {
  view: ClusterView;
  /** ms between two looks at whether the node still owns the slot. */
  watchEveryMs: number;
  /** ms to wait before the given attempt, 1, 2, … */
  pauseMs: (attempt: number) => number;
  onError?: (error: Error) => void;
}

/** The message by which ioredis knows that it was closed on purpose. */
const CLOSED = 'Connection is closed.';

/**
 * Leads a plain connection to the node of a Redis Cluster that owns one slot, and away from it when it does not any more:
 * what Sentinels are to a primary, the other nodes are to the owner of a slot (ADR 0041). A node that is frozen, cut off, or
 * was made a replica says nothing of it to whoever only listens; so another node is asked at every beat.
 */
export class SlotConnector extends AbstractConnector {
  private beat: NodeJS.Timeout | null = null;
  /** The connection that is being closed. */
  private left: unknown = null;

  constructor(
    private readonly redis: RedisOptions,
    private readonly options: SlotConnectorOptions,
  ) {
    super(redis.disconnectTimeout ?? 0);
  }

  /** Tries until it has found the owner, or is closed. */
  async connect(tell: Tell): Promise<Socket> {
    this.connecting = true;
    for (let attempt = 1; ; attempt += 1) {
      const owner = await this.options.view.owner().catch((error: Error) => {
        if (this.connecting) tell('error', error);
        return null;
      });
      if (!this.connecting) throw new Error(CLOSED);
      if (owner !== null) return this.open(owner);
      await new Promise((resolve) => setTimeout(resolve, this.options.pauseMs(attempt)));
    }
  }

  /** Once a connection: every command that was under way on it may ask for this, and each time adds a listener. */
  override disconnect(): void {
    this.rest();
    if (this.left === this.stream && this.stream) return;
    this.left = this.stream;
    super.disconnect();
  }

  private open(owner: ClusterMember): Socket {
    const { host, port } = owner;
    const { tls } = this.redis;
    const socket = tls ? connectTls({ host, port, ...tls }) : createConnection({ host, port });
    this.stream = socket;
    socket.once('error', (error: Error) => (this.firstError = error));
    socket.once('close', () => this.stream === socket && this.rest());
    this.watch(owner, socket);
    return socket;
  }

  /** Leaves a node of which most others say that it does not own the slot. */
  private watch(owner: ClusterMember, socket: Socket): void {
    const { view, watchEveryMs, onError } = this.options;
    this.rest();
    this.beat = setTimeout(() => {
      const look = async (): Promise<void> => {
        const other = await view.ownerByAnother(owner);
        // One that is behind names another, too.
        if (other === null || isSameNode(other, owner) || isSameNode(await view.owner(), owner)) return;
        if (this.stream === socket) this.disconnect();
      };
      void look()
        .catch((error: Error) => onError?.(error))
        .finally(() => {
          if (this.stream === socket && !socket.destroyed && this.connecting) this.watch(owner, socket);
        });
    }, watchEveryMs);
    this.beat.unref();
  }

  private rest(): void {
    if (this.beat) clearTimeout(this.beat);
    this.beat = null;
  }
}
