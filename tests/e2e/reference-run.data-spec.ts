import { backtestReference, expectReference } from '../support/reference-backtest';
import { play, reckon, referenceOf, type Convention } from '../support/reference-run';

/** Parts of the year are reckoned once more here; the whole year on ticks is in `reference-run.long-spec.ts`. */
const THIRD_DAY = Date.UTC(2022, 0, 3);

describe('the reference run, SMA 20/50 flip, through agent → consensus → limits → order → venue → ledger', () => {
  it.each<[Convention]>([['next_open'], ['signal_close'], ['tick_next'], ['tick_same']])(
    '[US3-5] %s over two days: fills, fees, cash and equity to the last digit',
    async (convention) => {
      const { result, found, limitsChecked } = await play(convention, THIRD_DAY);
      expect(found).toEqual(reckon(convention, referenceOf(convention).start, THIRD_DAY));
      expect(result.venueDifferences).toEqual([]);
      expect(result.strategyFailures).toEqual([]);
      expect(result.eventsByType['trade.rejected']).toBeUndefined();
      expect(limitsChecked).toBeGreaterThan(10 * found.fills);
    },
  );

  it.each<[Convention]>([['next_open'], ['signal_close']])(
    '[US3-3] [US3-5] %s over the 525,600 bars of 2022: books to the last digit, and the metrics',
    async (convention) => expectReference(convention, await backtestReference(convention)),
  );
});
