import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ClusterLog,
  CommitUnknown,
  createRoles,
  EventArchive,
  isTransientStoreError,
  migrateUp,
  replicationOf,
  ShardJournals,
} from '@moon/infra';
import type { Login, PostgresAccess } from '@moon/infra';
import type { BusMessage } from '@moon/kernel';
import { withClient } from '../../libs/infra/src/testing/postgres';
import { depositRow, tickRow } from '../../libs/kernel/src/contracts/event-store.contract';
import * as stack from '../../scripts/stack/api.cjs';

const DATABASE = 'moon_failover';
/** A frozen primary is noticed by its lease only, after 20 s; the rest is for busy machines. */
const LIMIT_MS = 200_000;
const BATCH = 20;

const until = async (condition: () => Promise<boolean>, what: string | (() => string)): Promise<void> => {
  for (const end = Date.now() + LIMIT_MS; !(await condition().catch(() => false));) {
    if (Date.now() > end) throw new Error(`Waited in vain: ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

const messageAt = (offset: number): BusMessage => ({
  topic: 'price.ticks',
  partition: 0,
  offset,
  event: tickRow(offset).event,
  producer: null,
});

/** A writer that never stops before it is told, and says how long it had to wait at most. */
class Load {
  acknowledged = 0;
  retries = 0;
  longestGapMs = 0;
  failure: unknown = null;
  lastError: unknown = null;
  private isOver = false;
  private readonly running: Promise<void>;

  constructor(private readonly write: (batch: number) => Promise<unknown>) {
    this.running = this.run();
  }

  async end(): Promise<void> {
    this.isOver = true;
    await this.running;
  }

  private async run(): Promise<void> {
    let last = performance.now();
    while (!this.isOver && this.failure === null) {
      try {
        await this.write(this.acknowledged);
        this.acknowledged += 1;
        this.longestGapMs = Math.max(this.longestGapMs, performance.now() - last);
        last = performance.now();
      } catch (error) {
        if (!isTransientStoreError(error)) this.failure = error;
        this.retries += 1;
        this.lastError = error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}

describe('a cluster log on a primary with a synchronous standby', () => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'moon-failover-')));
  let superuser: Login;
  let access: PostgresAccess;
  let archive: EventArchive;
  let journals: ShardJournals;
  let log: ClusterLog;

  const isReady = async (): Promise<boolean> => {
    const { isSynchronous, standbys } = await replicationOf(access.owner, DATABASE);
    const { nodes } = await stack.status(dir);
    // Patroni promotes no standby before it has noted it as synchronous, which is later than the server's own list.
    const isNoted = Object.values(nodes).some(({ role }) => role === 'sync standby');
    return isSynchronous && standbys === 1 && isNoted;
  };
  const nodeOf = async (role: 'primary' | 'standby'): Promise<number> => {
    const { nodes } = await stack.status(dir);
    const primary = Number(
      Object.keys(nodes)
        .find((name) => nodes[name]!.role === 'primary')
        ?.slice(-1),
    );
    if (Number.isNaN(primary)) throw new Error('There is no primary now.');
    return role === 'primary' ? primary : 3 - primary;
  };

  beforeAll(async () => {
    const { postgres } = await stack.start({ dir, basePort: 0, only: ['postgres'] });
    const { hosts, patroni, superuser: user, password } = postgres!;
    superuser = { ...hosts[0]!, user, password, hosts, patroni };
    access = await createRoles(superuser);
    await migrateUp(access, DATABASE, 'cluster');
    archive = new EventArchive(access.app, DATABASE, { connections: 2 });
    journals = new ShardJournals(access.app, DATABASE, { connections: 2 });
    log = new ClusterLog(access.app, DATABASE, { connections: 1, queryMs: 30_000 });
    await until(isReady, 'a synchronous standby');
  });

  afterAll(async () => {
    await Promise.all([archive, journals, log].map((part) => part?.close()));
    await stack.stop(dir, { clean: true });
    rmSync(dir, { recursive: true, force: true });
  });

  /** Every batch that was acknowledged once, and nothing else but a batch that was under way. */
  const checkLog = async (shard: string, portfolio: string, appended: number): Promise<void> => {
    const batches: number[] = [];
    for await (const { toSeq } of journals.open(shard).read(0)) batches.push(toSeq);
    expect(batches).toEqual(Array.from({ length: appended }, (_, index) => index + 1));
    const versions: (number | undefined)[] = [];
    for await (const { version } of log.readStream(`portfolio-${portfolio}`)) versions.push(version);
    expect(versions).toEqual(batches);
  };

  const underLoad = async (name: string, from: number, fault: () => Promise<void>): Promise<number> => {
    const [shard, portfolio] = [`execution#${name}`, name];
    const journal = journals.open(shard);
    await journal.claim('spec');
    const recorder = new Load((batch) =>
      archive.append(Array.from({ length: BATCH }, (_, index) => messageAt(from + batch * BATCH + index))),
    );
    const owner = new Load((batch) =>
      journal.append({ afterSeq: batch, toSeq: batch + 1, entries: [], publishedSeq: 0 }, [
        depositRow(batch + 1, batch + 1, portfolio),
      ]),
    );
    const advance = async (what: string): Promise<void> => {
      const [ticks, batches] = [recorder.acknowledged, owner.acknowledged];
      const isFailed = (): boolean => recorder.failure !== null || owner.failure !== null;
      const isAhead = (): boolean => recorder.acknowledged > ticks + 20 && owner.acknowledged > batches + 20;
      await until(
        async () => isFailed() || isAhead(),
        () => `${what}; last errors: ${String(recorder.lastError)}; ${String(owner.lastError)}`,
      );
    };
    try {
      await advance('the load');
      await fault();
      await advance('writes go on');
    } finally {
      await Promise.all([recorder.end(), owner.end()]);
    }
    expect([recorder.failure, owner.failure]).toEqual([null, null]);
    await checkLog(shard, portfolio, owner.acknowledged);
    const offsets: number[] = [];
    const to = from + recorder.acknowledged * BATCH;
    for await (const { offset } of archive.fill({ topic: 'price.ticks', partition: 0 }, from, to)) offsets.push(offset);
    expect(offsets).toEqual(Array.from({ length: to - from }, (_, index) => from + index));
    const gaps = [recorder, owner].map(({ longestGapMs }) => Math.round(longestGapMs)).join(' and ');
    process.stdout.write(
      `${name}: ${recorder.acknowledged * BATCH} events and ${owner.acknowledged} batches acknowledged, 0 lost, ` +
        `0 doubled; writes stood still for ${gaps} ms at most; ${recorder.retries + owner.retries} retries\n`,
    );
    return to;
  };

  let next = 0;

  it('loses and doubles nothing that was acknowledged when the primary is killed under load, twice', async () => {
    for (const round of [1, 2]) {
      next = await underLoad(`kill${round}`, next, async () =>
        stack.kill(`postgres-${await nodeOf('primary')}`, { dir }),
      );
      await until(isReady, 'the standby back');
    }
    expect((await log.countsByType())['price.tick']).toBe(next);
  });

  it('loses and doubles nothing that was acknowledged when the primary is frozen under load', async () => {
    const frozen = await nodeOf('primary');
    try {
      next = await underLoad('freeze', next, () => stack.pause(`postgres-${frozen}`, { dir }));
    } finally {
      await stack.resume(`postgres-${frozen}`, { dir });
    }
    await until(isReady, 'the standby back');
    expect((await log.countsByType())['price.tick']).toBe(next);
  });

  it('takes a commit that was not replicated for none: the same again makes it certain', async () => {
    await until(isReady, 'a synchronous standby');
    const journal = journals.open('execution#cancel');
    await journal.claim('spec');
    const standby = await nodeOf('standby');
    const append = (): Promise<void> =>
      journal.append({ afterSeq: 0, toSeq: 1, entries: [], publishedSeq: 0 }, [depositRow(1, 1, 'cancel')]);
    const patient = new ShardJournals(access.app, DATABASE, { connections: 1, queryMs: 30_000 });
    const waiting = patient.open('execution#waiting');
    await waiting.claim('spec');
    await stack.pause(`postgres-${standby}`, { dir });
    try {
      const pending = waiting
        .append({ afterSeq: 0, toSeq: 1, entries: [], publishedSeq: 0 }, [depositRow(1, 1, 'waiting')])
        .catch((error: unknown) => error);
      await withClient(superuser, DATABASE, async (client) => {
        const cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        await until(async () => (await client.query(cancel)).rows.length > 0, 'a commit that waits');
      });
      expect(await pending).toBeInstanceOf(CommitUnknown);
      // And one that nobody cancels ends by the caller's patience.
      const error = await append().catch((reason: unknown) => reason);
      expect(error === undefined || isTransientStoreError(error)).toBe(true);
    } finally {
      await stack.resume(`postgres-${standby}`, { dir });
    }
    await until(isReady, 'the standby back');
    const again = async (): Promise<boolean> => {
      await append();
      await waiting.append({ afterSeq: 0, toSeq: 1, entries: [], publishedSeq: 0 }, [depositRow(1, 1, 'waiting')]);
      return true;
    };
    await until(again, 'the same again');
    await patient.close();
    await checkLog('execution#cancel', 'cancel', 1);
    await checkLog('execution#waiting', 'waiting', 1);
  });

  it('tells that it is down to one server, and goes on', async () => {
    const standby = await nodeOf('standby');
    await stack.kill(`patroni-${standby}`, { dir, keepDown: true });
    await stack.kill(`postgres-${standby}`, { dir }).catch(() => undefined);
    await until(async () => !(await replicationOf(access.owner, DATABASE)).isSynchronous, 'the loss noticed');
    expect(await archive.append([messageAt(1_000_000)])).toMatchObject({ stored: 1 });
    await stack.restart(`patroni-${standby}`, { dir });
    await until(isReady, 'the standby back');
    expect((await replicationOf(access.owner, DATABASE)).detail).toMatch(/^1 standby server; commits wait for/);
  });
});
