import { CATALOG } from '@moon/events';
import { runChain, type ChainRun } from '../../bench/support/chain-run';
import { RATED_TYPES } from '../../bench/support/topic-load';
import { runTopics } from '../../bench/support/topics-run';

// Servers and processes start and stop: minutes on a machine that does other things, too.
jest.setTimeout(900_000);

// What the benches kafka-chain and kafka-topics run, a little of it: counts are checked, never a time.
describe('the chain over real brokers, as processes', () => {
  let result: ChainRun;

  beforeAll(async () => {
    const eager = { risk: { moveThreshold: 0.004, moveWindowMs: 60_000, clearAfterMs: 0 } };
    const processes = { execution: 1, agents: 1, patience: 4, agentSettings: eager };
    result = await runChain({ rate: 1_000, seed: 1, ...processes, warmUpMs: 5_000, measureMs: 20_000 });
  });

  it('[US1-5] ticks go through the whole chain: nothing is lost, doubled or reordered, and no process falls behind for good', () => {
    // Stuck is, too, whose lag does not return to 0.
    const { accepted, lost, doubled, reordered, stuck, crashes, findings } = result;
    expect(accepted).toBeGreaterThan(1_000);
    expect({ lost, doubled, reordered, stuck, crashes, findings }).toEqual({
      ...{ lost: 0, doubled: 0, reordered: 0, stuck: 0, crashes: 0, findings: [] },
    });
    expect(result.processes.map(({ name }) => name).sort()).toEqual(['agents-1', 'execution-1', 'recorder', 'venue']);
  });

  it('[FLW-1] tick → agents → consensus → limits → order → fill → position → store: every link is in the log', () => {
    const { alert, order, approval, placed } = result.latencies;
    for (const found of [alert, order, approval, placed]) expect(found.length).toBeGreaterThan(0);
    const links = ['price.tick', 'signal.generated', 'trade.consensus_approved', 'order.approved', 'order.submitted'];
    const effects = ['trade.placed', 'trade.executed', 'portfolio.fill_booked', 'state.snapshot'];
    expect([...links, ...effects].filter((type) => !result.archived[type])).toEqual([]);
  });
});

describe('all topics at once', () => {
  it('[BRK-5] at the rates of the design document: everything that was accepted is archived, and the recorder reads on to the end', async () => {
    const { accepted, lost, latencies, lagAfter } = await runTopics({
      warmUpS: 2,
      seconds: 10,
      patience: 4,
      fast: true,
    });
    const topics = RATED_TYPES.map((type) => CATALOG[type].topic);
    expect([...accepted.keys()].sort()).toEqual([...topics].sort());
    for (const topic of topics) {
      expect(accepted.get(topic)).toBeGreaterThan(0);
      expect([topic, lost.get(topic)]).toEqual([topic, 0]);
      expect(latencies.get(topic)?.length).toBeGreaterThan(0);
    }
    expect(lagAfter).toBe(0);
  });
});
