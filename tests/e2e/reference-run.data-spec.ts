import { play, reckon, referenceOf, type Convention } from '../support/reference-run';

/** Parts of the year that are played in every data suite; the whole year is in `reference-run.long-spec.ts`. */
const JANUARY_END = Date.UTC(2022, 1, 1);
const THIRD_DAY = Date.UTC(2022, 0, 3);

describe('the reference run, SMA 20/50 flip, through agent → consensus → limits → order → venue → ledger', () => {
  it.each<[Convention, number]>([
    ['next_open', JANUARY_END],
    ['signal_close', THIRD_DAY],
    ['tick_next', THIRD_DAY],
    ['tick_same', THIRD_DAY],
  ])('[US3-5] %s over the first days: fills, fees, cash and equity to the last digit', async (convention, to) => {
    const { result, found, limitsChecked } = await play(convention, to);
    expect(found).toEqual(reckon(convention, referenceOf(convention).start, to));
    expect(result.venueDifferences).toEqual([]);
    expect(result.strategyFailures).toEqual([]);
    expect(result.eventsByType['trade.rejected']).toBeUndefined();
    expect(limitsChecked).toBeGreaterThan(10 * found.fills);
  });
});
