import { play, reckon, referenceOf, type Convention } from '../support/reference-run';

/** The days of ticks that are played in every data suite; the whole year of them is in `reference-run.long-spec.ts`. */
const THIRD_DAY = Date.UTC(2022, 0, 3);

describe('the reference run, SMA 20/50 flip, through agent → consensus → limits → order → venue → ledger', () => {
  it.each<[Convention]>([['next_open'], ['signal_close']])(
    '[US3-3] [US3-5] %s over the 525,600 bars of 2022: fills, fees, cash and equity to the last digit',
    async (convention) => {
      const { result, found, limitsChecked } = await play(convention);
      expect(referenceOf(convention)).toMatchObject(found);
      expect(result.venueDifferences).toEqual([]);
      expect(result.strategyFailures).toEqual([]);
      expect(result.eventsByType['trade.rejected']).toBeUndefined();
      expect(limitsChecked).toBeGreaterThan(10 * found.fills);
    },
  );

  it.each<[Convention]>([['tick_next'], ['tick_same']])(
    '[US3-5] %s over the first days: fills, fees, cash and equity to the last digit',
    async (convention) => {
      const { result, found } = await play(convention, THIRD_DAY);
      expect(found).toEqual(reckon(convention, referenceOf(convention).start, THIRD_DAY));
      expect(result.venueDifferences).toEqual([]);
      expect(result.strategyFailures).toEqual([]);
    },
  );
});
