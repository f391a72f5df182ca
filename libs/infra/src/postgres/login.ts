export interface HostAndPort {
  host: string;
  port: number;
}

/** A login at a PostgreSQL server, or at several of which one is the primary. */
export interface Login extends HostAndPort {
  user: string;
  password: string;
  /** All servers, where there are several; `host` and `port` are not used then. */
  hosts?: readonly HostAndPort[];
  /** Patroni's REST address of each of the hosts, in their order. */
  patroni?: readonly string[];
}
