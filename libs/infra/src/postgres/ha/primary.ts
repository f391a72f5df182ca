import { Client } from 'pg';
import type { ClientConfig } from 'pg';
import type { HostAndPort, Login } from '../login';
import { isTransientStoreError } from '../transient';

/** How long a server may take to accept, and Patroni to answer. */
const ANSWER_MS = 2_000;
/** Between two rounds through the list of hosts. */
const RETRY_MS = 100;

/** A server that is not the primary, or no longer: not to be written to, and not to be read from either. */
export class NotPrimary extends Error {
  override readonly name = 'NotPrimary';
}

/** The timeline grows with each promotion: a primary of an older one has been replaced, whatever it says of itself. */
const WHO = `SELECT CASE WHEN pg_is_in_recovery() THEN NULL
    ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint END AS timeline`;

type Settings = ClientConfig & { password?: unknown };

/** Ends a connection also when its server is frozen and never says goodbye. */
export async function dropClient(client: Client): Promise<void> {
  const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } }).connection;
  const timer = setTimeout(() => stream.destroy(), ANSWER_MS);
  await client.end().catch(() => stream.destroy());
  clearTimeout(timer);
}

/**
 * Finds the primary among several servers. It walks the list, asks each whether it is the primary, and remembers the
 * newest timeline that any connection of this process has seen. The server's word alone is no fence: behind a frozen
 * Patroni an old primary goes on saying that it is one. So where Patroni's addresses are known, its word is needed, too.
 */
export class PrimaryFinder {
  private static readonly known = new Map<string, PrimaryFinder>();
  private readonly patroni: readonly string[];
  private at = 0;
  private newest = 0;
  /** The server that was last found to be the primary. */
  private primary: HostAndPort | null = null;

  private constructor(
    private readonly hosts: readonly HostAndPort[],
    patroni: readonly string[] | undefined,
  ) {
    this.patroni = patroni ?? [];
  }

  /** Null for a login at one server: nothing is to be found there. One finder for all connections to the same servers. */
  static of({ hosts, patroni }: Login): PrimaryFinder | null {
    if (!hosts || hosts.length === 0) return null;
    if (patroni && patroni.length !== hosts.length) {
      throw new RangeError(
        `${hosts.length} PostgreSQL hosts, but ${patroni.length} addresses of Patroni: give one for each host, in the same order.`,
      );
    }
    const key = JSON.stringify([hosts, patroni]);
    const found = PrimaryFinder.known.get(key) ?? new PrimaryFinder(hosts, patroni);
    PrimaryFinder.known.set(key, found);
    return found;
  }

  /** A client class for pools: each new connection goes to the server that is taken for the primary. */
  get Client(): typeof Client {
    const current = (): HostAndPort => this.hosts[this.at]!;
    const moveOn = (from: HostAndPort): void => this.moveOn(from);
    return class extends Client {
      constructor(settings: Settings = {}) {
        const { host, port } = current();
        // A pool hides the password from enumeration; a copy without it would fail in a way that leaks the socket.
        super({ ...settings, password: settings.password, host, port } as ClientConfig);
        // Also while it is lent: an error event that nobody hears ends the process.
        this.on('error', () => moveOn(this));
      }

      override connect(): Promise<this>;
      override connect(callback: (error: Error) => void): void;
      override connect(callback?: (error: Error) => void): Promise<this> | void {
        const connecting = super.connect().then(
          () => this,
          (error: unknown) => {
            moveOn(this);
            throw error;
          },
        );
        if (!callback) return connecting;
        connecting.then(() => callback(undefined as never), callback);
      }
    };
  }

  /** Calls back with an error when the server is not the primary; the next connection goes to the next server. */
  readonly verify = (client: Client, done: (error?: Error) => void): void => {
    this.assertPrimary(client).then(
      () => done(),
      (error: Error) => {
        this.moveOn(client);
        done(error);
      },
    );
  };

  /** A connection of its own to the primary, for as long as the caller wants. */
  async connect(settings: ClientConfig, deadlineMs: number): Promise<Client> {
    const Connecting = this.Client;
    return this.retried(deadlineMs, async () => {
      const client = new Connecting({ ...settings, connectionTimeoutMillis: ANSWER_MS });
      try {
        await client.connect();
        await this.assertPrimary(client);
        return client;
      } catch (error) {
        this.moveOn(client);
        await dropClient(client);
        throw error;
      }
    });
  }

  /** Again until the deadline, while no primary is to be found. A failed attempt has moved on to the next server. */
  async retried<T>(deadlineMs: number, attempt: () => Promise<T>): Promise<T> {
    const until = performance.now() + deadlineMs;
    for (let tries = 1; ; tries += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (!isTransientStoreError(error) || performance.now() > until) throw error;
        if (tries % this.hosts.length === 0) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** Leaves a server, if it is still the one that new connections go to. */
  moveOn({ host, port }: HostAndPort): void {
    const current = this.hosts[this.at]!;
    if (current.host === host && current.port === port) this.at = (this.at + 1) % this.hosts.length;
  }

  /** True for a connection that was opened before another server was found to be the primary. */
  isStale({ host, port }: HostAndPort): boolean {
    return this.primary !== null && (this.primary.host !== host || this.primary.port !== port);
  }

  private async assertPrimary(client: Client): Promise<void> {
    const where = `${client.host}:${client.port}`;
    const { rows } = await client.query<{ timeline: string | null }>({ text: WHO, query_timeout: ANSWER_MS } as never);
    const timeline = rows[0]!.timeline;
    if (timeline === null) throw new NotPrimary(`${where} is a standby.`);
    if (Number(timeline) < this.newest) {
      throw new NotPrimary(
        `${where} is on timeline ${timeline}; timeline ${this.newest} was seen: it has been replaced.`,
      );
    }
    const url = this.patroni[this.hosts.findIndex(({ host, port }) => host === client.host && port === client.port)];
    if (url !== undefined) await assertLeader(url, where);
    this.newest = Math.max(this.newest, Number(timeline));
    this.primary = { host: client.host, port: client.port };
  }
}

async function assertLeader(url: string, where: string): Promise<void> {
  const asked = fetch(new URL('/primary', url), { signal: AbortSignal.timeout(ANSWER_MS) });
  const answer = await asked.catch((error: unknown) => String(error));
  if (typeof answer === 'string') throw new NotPrimary(`Patroni of ${where} does not answer (${answer}).`);
  await answer.body?.cancel();
  if (!answer.ok) throw new NotPrimary(`Patroni of ${where} says that it is not the primary (${answer.status}).`);
}
