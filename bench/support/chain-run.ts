import type { AnyEvent } from '@moon/events';
import { checkLedger } from '../../tests/faults/cluster/ledger/ledger';
import { Rig, type RigOptions } from '../../tests/faults/cluster/rig';
import { pause } from '../../tests/faults/cluster/root';
import { refusing } from './bench-stack';
import { ChainLog, type Stamped } from './chain-log';
import { ProcessWatch, type Watched } from './process-watch';

const STAMPS_DIFFER_MS = 5;

export interface ChainOptions extends RigOptions {
  warmUpMs: number;
  measureMs: number;
}

/** What a run of the whole platform gave. */
export interface ChainRun {
  /** Ticks a second that were acknowledged while it was measured. */
  rate: number;
  latencies: Record<'acknowledged' | 'alert' | 'root' | 'order' | 'approval' | 'placed', number[]>;
  processes: Watched[];
  /** All inputs that were acknowledged, those of the warm-up too. */
  accepted: number;
  lost: number;
  doubled: number;
  reordered: number;
  /** Also: a process whose lag does not return to 0 once the feed is held. */
  stuck: number;
  /** What was found, in words. */
  findings: readonly string[];
  /** Events in the store, by type. */
  archived: Readonly<Record<string, number>>;
  /** Ends of processes that nobody asked for. */
  crashes: number;
}

/** Runs recorder, execution, agents and venue as processes under load, and holds what was accepted against what is kept. */
export async function runChain({ warmUpMs, measureMs, ...options }: ChainOptions): Promise<ChainRun> {
  const rig = await refusing(() => Rig.start({ ...options, auditsLater: true }));
  try {
    const { said, acknowledged } = stampsOf(rig);
    await pause(warmUpMs);
    const watch = new ProcessWatch(rig);
    watch.start();
    const [fromMs, before] = [Date.now(), rig.load.accepted.size];
    await pause(measureMs);
    const rate = (rig.load.accepted.size - before) / ((Date.now() - fromMs) / 1_000);
    const toMs = Date.now();
    const processes = await watch.stop();
    rig.load.hold();
    await rig.auditor.start();
    const { counts, examples } = await checkLedger(rig);
    const log = await ChainLog.read({ ...rig.config.kafka, portOffset: 0 });
    return {
      ...{ rate, processes, accepted: rig.load.accepted.size },
      ...{ lost: counts.lost, doubled: counts.doubled + counts.venueDoubles, reordered: counts.reordered },
      ...{ stuck: counts.stuck, findings: examples },
      archived: await archivedIn(rig),
      crashes: rig.apps.reduce((sum, { crashes }) => sum + crashes.length, 0),
      latencies: latenciesOf(log, { said, acknowledged, fromMs, toMs, wallOf: (ms) => rig.load.wallOf(ms) }),
    };
  } finally {
    await rig.stop();
  }
}

async function archivedIn(rig: Rig): Promise<Record<string, number>> {
  const sql = 'SELECT type, count(*) AS count FROM log GROUP BY type';
  const rows = await rig.store.rows<{ type: string; count: string }>(sql);
  if (rows === null) throw new Error('No PostgreSQL server is primary.');
  return Object.fromEntries(rows.map(({ type, count }) => [type, Number(count)]));
}

/** Wall times at which the feed handed over each of its events, and at which every replica had it, from now on. */
function stampsOf(rig: Rig): Pick<Measured, 'said' | 'acknowledged'> {
  const said = new Map<string, number>();
  const acknowledged = new Map<string, number>();
  const publish = rig.load.publish.bind(rig.load);
  rig.load.publish = async (event: AnyEvent) => {
    said.set(event.id, Date.now());
    await publish(event);
    acknowledged.set(event.id, Date.now());
  };
  return { said, acknowledged };
}

interface Measured {
  said: ReadonlyMap<string, number>;
  acknowledged: ReadonlyMap<string, number>;
  fromMs: number;
  toMs: number;
  /** Wall time of a market time. */
  wallOf: (marketMs: number) => number;
}

/**
 * Start: the feed's call, or a record's stamp; of a chain that waits for the end of a bar, the moment at which its market time
 * came, if that is later: nobody could have known earlier. End: a record's stamp. All of them wall time of this machine, ms.
 */
function latenciesOf(log: ChainLog, { said, acknowledged, fromMs, toMs, wallOf }: Measured): ChainRun['latencies'] {
  const isMeasured = (startMs: number | undefined): startMs is number =>
    startMs !== undefined && startMs >= fromMs && startMs <= toMs;
  const since = (ends: readonly Stamped[], startOf: (end: Stamped) => number | undefined): number[] =>
    ends.flatMap((end) => {
      const startMs = startOf(end);
      if (!isMeasured(startMs)) return [];
      // Stamps of several processes, in whole ms.
      if (end.atMs < startMs - STAMPS_DIFFER_MS)
        throw new Error(`${end.event.type} ${end.event.id} came before what it is measured from.`);
      return [Math.max(0, end.atMs - startMs)];
    });
  // Two hops: alerts on a price itself, not on what became of it further down the chain.
  const causeSaidAt = ({ event }: Stamped): number | undefined => said.get(event.causationId ?? '');
  const submitted = log.of('order.submitted');
  const rootSaidAt = ({ event }: Stamped): number | undefined => said.get(event.correlationId);
  // Orders that agents' signals led to: others (of a force close) wait for no bar.
  const beganAt = (order: Stamped): number | undefined => {
    const approval = log.causeOf(order, 'trade.consensus_approved');
    const signal = approval && log.openingOf(approval);
    if (!signal) return undefined;
    const [saidAt, barEnd] = [rootSaidAt(signal), log.barEndBefore(signal)];
    return saidAt === undefined || barEnd === undefined ? saidAt : Math.max(saidAt, wallOf(barEnd));
  };
  return {
    acknowledged: [...acknowledged].flatMap(([id, atMs]) => {
      const startMs = said.get(id);
      return isMeasured(startMs) ? [atMs - startMs] : [];
    }),
    alert: since([...log.of('risk.alert'), ...log.of('risk.critical')], causeSaidAt),
    root: since(submitted, rootSaidAt),
    order: since(submitted, beganAt),
    approval: since(submitted, (order) => log.causeOf(order, 'trade.consensus_approved')?.atMs),
    placed: since(log.of('trade.placed'), ({ event }) => {
      const order = event.type === 'trade.placed' ? log.submissionOf(event.data.order_id) : undefined;
      const approval = order && log.causeOf(order, 'trade.consensus_approved');
      return approval && log.openingOf(approval)?.atMs;
    }),
  };
}
