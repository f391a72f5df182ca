import { createHash } from 'node:crypto';
import type { AnyEvent } from '@moon/events';
import type { BusMessage } from '@moon/kernel';
import { depositRow, tickRow } from '../../../../kernel/src/contracts/event-store.contract';
import { startTestServer } from '../../testing/postgres';
import type { TestServer } from '../../testing/postgres';
import { withClient } from '../access';
import { EventArchive } from './archive';
import { ClusterLog } from './log';
import { Retention } from './retention';
import { ShardJournals } from './shard-journal';

let test: TestServer;

beforeAll(async () => {
  test = await startTestServer();
}, 60_000);
afterAll(() => test.stop());

const FEBRUARY = Date.UTC(2024, 1, 1);
const TICKS = 2_500;

const sha256 = (...parts: (string | Buffer)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** As whoever has exported the events would check them: 1024 children each, three levels below the root. */
function merkleRoot(events: readonly AnyEvent[]): string {
  let level = events.map(({ id, occurredAt, type, schemaVersion, source, key, data, ...event }) => {
    const cause = event.causationId ?? '-';
    const headers = event.headers ? JSON.stringify(event.headers) : '-';
    const texts = [
      id,
      occurredAt,
      type,
      schemaVersion,
      source,
      key,
      event.correlationId,
      cause,
      JSON.stringify(data),
      headers,
    ];
    return sha256(texts.join('\u001f'));
  });
  for (let depth = 1; depth <= 2; depth += 1) {
    level = Array.from({ length: Math.ceil(level.length / 1024) }, (_, at) =>
      sha256(...level.slice(at * 1024, (at + 1) * 1024)),
    );
  }
  return sha256(...level).toString('hex');
}

const messageOf = (event: AnyEvent, offset: number): BusMessage => ({
  topic: 'price.ticks',
  partition: 0,
  offset,
  event,
  producer: null,
});

describe('retention of bus events', () => {
  let database: string;
  let archive: EventArchive;
  let log: ClusterLog;
  let retention: Retention;

  beforeEach(async () => {
    database = await test.clusterDatabase();
    archive = new EventArchive(test.access.app, database);
    log = new ClusterLog(test.access.app, database);
    retention = new Retention(test.access.app, database);
  });
  afterEach(() => Promise.all([archive.close(), log.close()]));

  it('[EVS-3] drops whole months that have expired, each written down with range, count and Merkle root', async () => {
    const old = Array.from({ length: TICKS }, (_, index) => tickRow(index, { at: FEBRUARY + index }).event);
    const older = [tickRow(9_000, { at: FEBRUARY - 2 }).event, tickRow(9_001, { at: FEBRUARY - 1 }).event];
    const recent = tickRow(9_002, { at: Date.now() }).event;
    await archive.append([...old, ...older, recent].map(messageOf));
    const journals = new ShardJournals(test.access.app, database);
    const journal = journals.open('execution#0');
    await journal.claim('spec');
    await journal.append({ afterSeq: 0, toSeq: 1, entries: [], publishedSeq: 0 }, [depositRow(1, 1)]);
    await journals.close();

    const drops = await retention.dropExpired();
    expect(drops).toEqual([
      expect.objectContaining({ from: Date.UTC(2024, 0, 1), to: FEBRUARY, events: 2, merkleRoot: merkleRoot(older) }),
      expect.objectContaining({ from: FEBRUARY, to: Date.UTC(2024, 2, 1), events: TICKS, merkleRoot: merkleRoot(old) }),
    ]);
    expect(await retention.drops()).toEqual(drops);
    expect(await retention.dropExpired()).toEqual([]);
    // Streams stay, however old; so does what is younger than the policy says.
    expect(await log.countsByType()).toEqual({ 'portfolio.deposited': 1, 'price.tick': 1 });
  });

  it('makes room again for an event of a month that was dropped', async () => {
    await archive.append([messageOf(tickRow(1).event, 1)]);
    expect(await retention.dropExpired()).toHaveLength(1);
    const later = new EventArchive(test.access.app, database);
    await later.append([messageOf(tickRow(1).event, 1)]);
    await later.close();
    expect(await log.countsByType()).toEqual({ 'price.tick': 1 });
  });

  it('[SYS-3] lets the application ask for it, and choose nothing', async () => {
    await archive.append([messageOf(tickRow(1).event, 1)]);
    await withClient(test.access.app, database, async (client) => {
      for (const text of [
        "UPDATE retention_policy SET keep = INTERVAL '1 day'",
        'DROP TABLE events_2024_02',
        "INSERT INTO log_drops (from_at, to_at, events, merkle_root) VALUES (now(), now(), 1, '')",
        'DELETE FROM log_drops',
      ]) {
        await expect(client.query(text)).rejects.toMatchObject({ code: '42501' });
      }
    });
    await withClient(test.access.owner, database, async (client) => {
      await client.query("UPDATE retention_policy SET keep = INTERVAL '100 years'");
      await expect(client.query("UPDATE retention_policy SET keep = INTERVAL '1 hour'")).rejects.toThrow(/check/);
    });
    expect(await retention.dropExpired()).toEqual([]);
    expect(await log.countsByType()).toEqual({ 'price.tick': 1 });
  });
});
