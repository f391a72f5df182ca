import {
  groupNames,
  openClusterReader,
  recorderLag,
  shardNames,
  type ClusterConfig,
  type ClusterReader,
} from '@moon/cluster';
import { checkBrokers, clusterSchemaOf, ConfigError, replicationOf, topicDrift, topicPlan } from '@moon/infra';
import { clusterConfigOf, type ClusterOptions } from '../../../cluster/settings';
import type { Io } from '../../../io';
import { count, plural } from '../../../output/text';
import { messageOf, note, ok, wrong, type Finding } from '../finding';
import { checkCache } from './cache';

const PATRONI_MS = 3_000;
/** Differences to the catalog that are told one by one. */
const DRIFTS_TOLD = 10;
/** Messages that wait for the recorder at which it is worth a word. */
const MUCH_LAG = 10_000;

/** Settings, brokers, topics, store, replication, shards and cache of a deployment, one after the other. */
export async function* checkCluster(io: Io, options: ClusterOptions): AsyncIterable<Finding[]> {
  let config: ClusterConfig;
  try {
    config = clusterConfigOf(io, options);
  } catch (error) {
    const problems = error instanceof ConfigError ? error.problems : [messageOf(error)];
    yield problems.map((problem) => wrong('configuration', problem, 'Correct the setting that is named.'));
    return;
  }
  yield [
    ok('configuration', `${config.shards} shards a group, ${plural(config.platform.portfolios.length, 'portfolio')}.`),
  ];
  yield await checkKafka(config);
  yield await checkPatroni(config);
  yield await checkClusterStore(config);
  yield [await checkCache(config)];
}

async function checkKafka(config: ClusterConfig): Promise<Finding[]> {
  const { kafka } = config;
  try {
    const brokers = await checkBrokers(kafka);
    const text = `${brokers} of ${kafka.brokers.length} brokers named answer at ${kafka.brokers.join(', ')}.`;
    const isWhole = brokers >= kafka.brokers.length;
    const found = isWhole
      ? ok('brokers', text)
      : note('brokers', text, 'Start the others: with fewer than kafka.minInSyncReplicas nothing is acknowledged.');
    return [found, ...(await checkTopics(config)), await checkLag(config)];
  } catch (error) {
    return [wrong('brokers', messageOf(error), 'Start the brokers, or correct kafka.brokers.')];
  }
}

async function checkTopics(config: ClusterConfig): Promise<Finding[]> {
  const plan = topicPlan(config.kafka, groupNames(config));
  const drift = await topicDrift(config.kafka, plan);
  if (drift.length === 0) return [ok('topics', `All ${plan.length} topics are what the catalog says.`)];
  const [works, broken] = [drift.filter(({ mayStay }) => mayStay), drift.filter(({ mayStay }) => !mayStay)];
  const told = broken.slice(0, DRIFTS_TOLD).map(({ topic, kind, setting, expected, found, advice }) => {
    const what = setting === undefined ? kind : `${kind} ${setting}`;
    return wrong(`topic ${topic}`, `${what}: ${found}, expected ${expected}.`, advice);
  });
  const rest = broken.length - told.length;
  if (rest > 0) told.push(note('topics', `${plural(rest, 'more difference')} to the catalog.`));
  const [first] = works;
  if (first) {
    const list = works.map(({ topic, found }) => `${topic} ${found}`).join(', ');
    told.push(note('topics', `More partitions than the catalog says: ${list}.`, first.advice));
  }
  return told;
}

async function checkLag({ kafka }: ClusterConfig): Promise<Finding> {
  const lags = Object.entries(await recorderLag(kafka)).sort(([, a], [, b]) => b - a);
  const all = lags.reduce((sum, [, lag]) => sum + lag, 0);
  if (all === 0) return ok('recorder', 'Everything on the brokers is archived.');
  const most = lags.slice(0, 3).map(([topic, lag]) => `${topic} ${count(lag)}`);
  const text = `${plural(all, 'message')} not archived yet (${most.join(', ')}).`;
  if (all < MUCH_LAG) return ok('recorder', text);
  return note(
    'recorder',
    text,
    'See whether a recorder runs, and whether the event store is slow: GET /status of the recorder.',
  );
}

async function checkPatroni({ postgres }: ClusterConfig): Promise<Finding[]> {
  return Promise.all(
    postgres.patroni.map(async (address, index) => {
      const check = `patroni ${postgres.hosts[index] ?? address}`;
      try {
        const answer = await fetch(`${address}/patroni`, { signal: AbortSignal.timeout(PATRONI_MS) });
        const { state, role } = (await answer.json()) as { state?: string; role?: string };
        const text = `${role ?? 'unknown role'}, ${state ?? 'unknown state'}.`;
        if (state === 'running' || state === 'streaming') return ok(check, text);
        return note(check, text, '"patronictl list" says what it waits for.');
      } catch (error) {
        return wrong(
          check,
          `${address} does not answer: ${messageOf(error)}.`,
          'Start Patroni on that server: a dead one is no candidate.',
        );
      }
    }),
  );
}

async function checkClusterStore(config: ClusterConfig): Promise<Finding[]> {
  let reader: ClusterReader;
  try {
    reader = await openClusterReader(config);
  } catch (error) {
    return [wrong('event store', messageOf(error), 'Start the servers, or correct the postgres settings.')];
  }
  try {
    return [
      ok('event store', `Database ${reader.database} answers at ${config.postgres.hosts.join(', ')}.`),
      await checkSchema(reader),
      await checkReplication(config, reader),
      ...(await checkShards(config, reader)),
      await checkLetters(reader),
    ];
  } catch (error) {
    return [wrong('event store', messageOf(error), 'Look into the log of the PostgreSQL servers, and try again.')];
  } finally {
    await reader.close();
  }
}

async function checkSchema({ access, database }: ClusterReader): Promise<Finding> {
  const { missing, newer } = await clusterSchemaOf(access.app, database);
  const mend = '"moon store prepare" of the version to run brings it up to date.';
  if (missing.length > 0)
    return note('schema', `${plural(missing.length, 'migration')} to come: ${missing.join(', ')}.`, mend);
  if (newer.length === 0) return ok('schema', 'The schema is the newest one.');
  return ok('schema', `A newer version has prepared it (${newer.join(', ')}); it serves this one, too.`);
}

async function checkReplication({ postgres }: ClusterConfig, { access, database }: ClusterReader): Promise<Finding> {
  const { isSynchronous, detail } = await replicationOf(access.app, database);
  if (isSynchronous || postgres.hosts.length === 1) return ok('replication', `${detail}.`);
  return wrong('replication', `${detail}.`, 'Bring the standby back: until then the loss of the primary loses events.');
}

async function checkShards(config: ClusterConfig, { log }: ClusterReader): Promise<Finding[]> {
  const known = new Map((await log.shards()).map((status) => [status.shard, status]));
  const wanted = shardNames(config);
  const unclaimed = wanted.filter((name) => !known.has(name));
  const others = [...known.keys()].filter((name) => !wanted.includes(name));
  const owners = new Set([...known.values()].map(({ owner }) => owner));
  const findings = [
    ok('shards', `${known.size} of ${wanted.length} have been claimed, last by ${[...owners].join(', ') || 'nobody'}.`),
  ];
  if (unclaimed.length > 0)
    findings.push(
      note('shards', `Never claimed: ${unclaimed.join(', ')}.`, 'Start the processes that host these groups.'),
    );
  if (others.length > 0) {
    const mend =
      'Use the number of shards and the agents that the data were made with: keys would move away from their journals.';
    findings.push(wrong('shards', `Not of these settings: ${others.join(', ')}.`, mend));
  }
  return findings;
}

async function checkLetters({ inspection }: ClusterReader): Promise<Finding> {
  const [parked, skipped] = await Promise.all([inspection.parkedKeys(), inspection.deadLetters()]);
  if (parked.length + skipped.length === 0)
    return ok('dead letters', 'No handler gave an event up, and no key stands still.');
  const text = `${plural(parked.length, 'key')} standing still, ${plural(skipped.length, 'event')} given up.`;
  return note('dead letters', text, '"moon dead-letters list --cluster" shows them.');
}
