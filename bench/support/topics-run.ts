import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TopicName } from '@moon/events';
import { pause, waitFor } from '../../tests/faults/cluster/root';
import { platformSettings, serverSettings } from '../../tests/faults/cluster/settings';
import { DATABASE, loginAt, PrimaryClient, primaryOf } from '../../tests/faults/cluster/store';
import { program, Supervised } from '../../tests/faults/cluster/supervised';
import { kafkaOf, onStack } from './bench-stack';
import { PROBE_FILE } from './recorder-probe';
import { TopicLoad, type RatedType } from './topic-load';

export interface TopicsOptions {
  warmUpS: number;
  seconds: number;
  /** Of the document's rates; 1 = all of it. */
  share?: number;
  /** Multiplies the time-outs of the brokers' clients. */
  patience?: number;
  /** Brokers compile with C1 alone. */
  fast?: boolean;
}

/** What a run of all topics at once gave. */
export interface TopicsRun {
  /** Events a second that were acknowledged, by type. */
  rates: ReadonlyMap<RatedType, number>;
  /** Publisher's call → archived, ms, by topic. */
  latencies: ReadonlyMap<TopicName, number[]>;
  accepted: ReadonlyMap<TopicName, number>;
  /** Accepted ones that the store does not know, by topic. */
  lost: ReadonlyMap<TopicName, number>;
  /** Messages that the recorder had not read when the last was acknowledged, and once it had read on. */
  lagAtEnd: number;
  lagAfter: number;
}

const READ_ON_WITHIN_MS = 120_000;
const LAST_LINES_MS = 1_500;
const IDS_A_STATEMENT = 10_000;
/** Bus-first events are rows; of store-first ones the recorder keeps where they stood. */
const KNOWN = `SELECT count(DISTINCT id) AS known FROM (
  SELECT event_id AS id FROM events WHERE event_id = ANY ($1::uuid[])
  UNION ALL SELECT event_id FROM bus_references WHERE event_id = ANY ($1::uuid[])) AS kept`;

/** Publishes on all topics at the document's rates, with the recorder as a process of its own. */
export function runTopics({
  warmUpS,
  seconds,
  share = 1,
  patience = 1,
  fast = false,
}: TopicsOptions): Promise<TopicsRun> {
  return onStack(
    ['kafka', 'postgres'],
    async (addresses) => {
      const dir = mkdtempSync(join(tmpdir(), 'moon-bench-'));
      chmodSync(dir, 0o755);
      const probe = join(dir, 'archived');
      const file = join(dir, 'settings.json');
      const settings = kafkaOf(addresses, patience);
      const { sessionTimeoutMs, requestTimeoutMs, connectionTimeoutMs } = settings;
      const servers = serverSettings(addresses, { kafka: { sessionTimeoutMs, requestTimeoutMs, connectionTimeoutMs } });
      writeFileSync(file, JSON.stringify({ ...platformSettings(), ...servers, dataDir: dir }));
      const recorder = recorderOf(file, join(dir, 'recorder.log'));
      const store = new PrimaryClient(addresses);
      const load = new TopicLoad(settings);
      try {
        recorder.start({ [PROBE_FILE]: probe });
        await recorder.ready();
        const primary = await primaryOf(addresses);
        if (primary === null) throw new Error('No PostgreSQL server is primary.');
        await load.log(loginAt(addresses, primary), DATABASE, (warmUpS + seconds) * share);
        await load.go('warmup', warmUpS, share);
        const rates = await load.go('measured', seconds, share);
        const lagAtEnd = await lagOf(recorder);
        const lagAfter = await readOn(recorder, store, load);
        await pause(LAST_LINES_MS);
        const accepted = new Map([...load.accepted].map(([topic, ids]) => [topic, ids.length]));
        const lost = await lostOf(store, load);
        return { rates, latencies: latenciesIn(probe), accepted, lost, lagAtEnd, lagAfter };
      } finally {
        await load.stop();
        await recorder.stop();
        await store.close();
        rmSync(dir, { recursive: true, force: true });
      }
    },
    fast,
  );
}

function recorderOf(file: string, log: string): Supervised {
  const own = ['--config', file, '--port', '0', '--instance', 'bench'];
  const args = ['--require', program('bench/support/recorder-probe.js'), program('apps/recorder/src/main.js'), ...own];
  return new Supervised({ name: 'recorder', args, ready: /^READY in .* (http:\/\/[\d.]+:\d+)\/health\/ready/, log });
}

/** Messages that it has not read; NaN when it does not answer. */
async function lagOf(recorder: Supervised): Promise<number> {
  const parts = Object.values((await recorder.status())?.parts ?? {});
  if (parts.length === 0) return Number.NaN;
  return parts.flatMap(({ lag = {} }) => Object.values(lag)).reduce((sum, one) => sum + one, 0);
}

/** Waits until it has read everything, or as long as it may take; what is lost never comes. @returns its lag then */
async function readOn(recorder: Supervised, store: PrimaryClient, load: TopicLoad): Promise<number> {
  const end = Date.now() + READ_ON_WITHIN_MS;
  return waitFor('The recorder reads on', READ_ON_WITHIN_MS + 30_000, async () => {
    const lag = await lagOf(recorder);
    const isOver = lag === 0 && [...(await lostOf(store, load)).values()].every((count) => count === 0);
    return isOver || Date.now() > end ? lag : null;
  });
}

async function lostOf(store: PrimaryClient, load: TopicLoad): Promise<Map<TopicName, number>> {
  const lost = new Map<TopicName, number>();
  for (const [topic, ids] of load.accepted) {
    let known = 0;
    for (let from = 0; from < ids.length; from += IDS_A_STATEMENT) {
      const rows = await store.rows<{ known: string }>(KNOWN, [ids.slice(from, from + IDS_A_STATEMENT)]);
      if (rows === null) throw new Error('No PostgreSQL server is primary.');
      known += Number(rows[0]?.known ?? 0);
    }
    lost.set(topic, ids.length - known);
  }
  return lost;
}

function latenciesIn(probe: string): Map<TopicName, number[]> {
  const latencies = new Map<TopicName, number[]>();
  if (!existsSync(probe)) return latencies;
  for (const line of readFileSync(probe, 'utf8').split('\n')) {
    const [phase, topic, ms] = line.split(' ');
    if (phase !== 'measured') continue;
    const list = latencies.get(topic as TopicName);
    if (list) list.push(Number(ms));
    else latencies.set(topic as TopicName, [Number(ms)]);
  }
  return latencies;
}
