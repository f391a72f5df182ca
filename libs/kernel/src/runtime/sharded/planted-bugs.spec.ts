import type { EventType } from '@moon/events';
import type { Handler } from '@moon/domain';
import { CarriedEvents } from '../../../../../tests/faults/cluster/carried';
import { checkCarried, checkKeyOrder } from '../../../../../tests/faults/cluster/ledger/compare';
import { Findings } from '../../../../../tests/faults/cluster/ledger/findings';
import { JournalCover } from '../../../../../tests/faults/cluster/ledger/journal-cover';
import { LogFold } from '../../../../../tests/faults/cluster/ledger/log-fold';
import { RecentIds } from '../../core/recent-ids';
import type { ShardJournal } from '../../ports/journal';
import { turns } from '../../testing/live-bed';
import { ShardBed, type ShardBedOptions } from '../../testing/shard-bed';
import { tick } from '../../testing/venue-desk';
import { Positions } from './message-buffer';

const BTC = 'BTC.HYPERLIQUID';
const SHARD = 'group#0';

/** Says with every price how many it has heard: what it says depends on everything before. */
const counter: Handler<{ heard: number }> = {
  name: 'agent/counter',
  role: 'agent',
  partitionedBy: 'token',
  consumes: ['price.tick'],
  initialState: () => ({ heard: 0 }),
  handle(event, state, out) {
    if (event.type !== 'price.tick') return;
    state.heard += 1;
    const { token, timestamp } = event.data;
    const reason = `price ${state.heard}`;
    out.emit('signal.generated', {
      ...{ token, action: 'BUY', score: 90, confidence: 0.9, agent: 'counter', reason, timestamp },
    });
  },
};

type Plant = Partial<Pick<ShardBedOptions, 'journal'>>;

/**
 * A member that is killed, and one that comes after it; a message comes twice.
 *
 * @param isCutOff the first dies while its last output is on its way; else it is there, and nobody has noted it
 */
async function runWithKill(plant: Plant = {}, isCutOff = true): Promise<Findings> {
  const bed = new ShardBed({ handlers: [counter], keyed: ['price.ticks'], ...plant });
  const said: string[] = [];
  const say = (from: number, to: number): void => {
    for (let second = from; second < to; second += 1) {
      const event = tick(BTC, second * 1_000, 100 + second);
      said.push(event.id);
      bed.bus.append(event);
    }
  };
  const first = await bed.member();
  say(0, 5);
  await turns();
  await first.group.checkpoint();
  say(5, 8);
  await turns();
  if (isCutOff) {
    const append = bed.bus.append.bind(bed.bus);
    const cut = jest.spyOn(bed.bus, 'append').mockImplementation((event, producer = null) => {
      if (producer === null) append(event, producer);
    });
    say(8, 9);
    await turns();
    first.kill();
    cut.mockRestore();
  } else first.kill();
  bed.bus.append(tick(BTC, 7_000, 107));
  const second = await bed.member();
  say(9, 12);
  await turns();
  for (const failure of second.failures) throw failure;
  return audit(bed, said);
}

async function audit(bed: ShardBed, said: readonly string[]): Promise<Findings> {
  const findings = new Findings();
  const carried = new CarriedEvents();
  const fold = new LogFold();
  for (const message of bed.bus.messages()) {
    // The archive keeps the first of each id.
    if (!carried.events.has(message.event.id)) fold.take({ seq: 0, event: message.event }, findings);
    carried.note(message);
  }
  const takes = ({ type }: { type: EventType }): boolean => counter.consumes.includes(type);
  const cover = new JournalCover([{ shard: SHARD, topics: new Set(['price.ticks']), reads: () => true, takes }]);
  for await (const batch of bed.database.journal(SHARD).read(0)) cover.take(SHARD, batch, findings);
  cover.judge(carried.events, findings);
  cover.judgeOutputs(carried.events, fold, findings);
  checkCarried(carried.events, fold, findings);
  checkKeyOrder(new Map([['price.ticks\nBTC', said]]), carried.events, findings);
  for (const conflict of carried.conflicts) findings.add('doubled', conflict);
  return findings;
}

const overriding = (more: (journal: ShardJournal) => Partial<ShardJournal>): Plant => ({
  journal: (journal) => {
    const plain: ShardJournal = {
      shard: journal.shard,
      claim: (owner) => journal.claim(owner),
      append: (batch, rows) => journal.append(batch, rows),
      read: (afterSeq) => journal.read(afterSeq),
      saveCheckpoint: (checkpoint) => journal.saveCheckpoint(checkpoint),
      latestCheckpoint: (onUnreadable) => journal.latestCheckpoint(onUnreadable),
    };
    return { ...plain, ...more(journal) };
  },
});

/** What a run with a planted bug leads to: what the ledger check finds, or the error that stops the shard. */
const outcomeOf = (plant: Plant): Promise<Findings | Error> => runWithKill(plant).catch((error: Error) => error);

describe('the ledger check', () => {
  afterEach(() => jest.restoreAllMocks());

  it('finds nothing in a run with a kill', async () => {
    expect((await runWithKill({}, true)).examples).toEqual([]);
    expect((await runWithKill({}, false)).examples).toEqual([]);
  });

  it('finds the planted bug: the commit comes before the effect', async () => {
    const plant = overriding((journal) => ({
      append: (batch, rows) => journal.append({ ...batch, publishedSeq: batch.toSeq }, rows),
    }));
    const found = await runWithKill(plant);
    expect(found.counts.lost).toBeGreaterThan(0);
    expect(found.examples.join()).toContain('an output was never published');
  });

  it('finds the planted bug: nothing tells what comes twice', async () => {
    jest.spyOn(Positions.prototype, 'advance').mockReturnValue(true);
    jest.spyOn(RecentIds.prototype, 'has').mockReturnValue(false);
    const found = await runWithKill();
    expect(found.counts.doubled).toBeGreaterThan(0);
    expect(found.examples.join()).toContain('a copy was handled');
  });

  it('finds the planted bug: no journal', async () => {
    const found = await outcomeOf(overriding(() => ({ append: () => Promise.resolve() })));
    expect(found instanceof Error ? found.message : found.examples.join()).toMatch(/not handled|its journal ends/);
  });

  it('finds the planted bug: a checkpoint without its states', async () => {
    const plant = overriding((journal) => ({
      saveCheckpoint: (checkpoint) => journal.saveCheckpoint({ ...checkpoint, states: '[]' }),
    }));
    const found = await runWithKill(plant, false);
    expect(found.counts.doubled).toBeGreaterThan(0);
    expect(found.examples.join()).toContain('two contents');
  });
});
