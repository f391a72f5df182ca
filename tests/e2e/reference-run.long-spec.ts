import { play, referenceOf, type Convention } from '../support/reference-run';

describe('the reference run over the 2,102,400 ticks of 2022, through the whole path', () => {
  it.each<[Convention]>([['tick_next'], ['tick_same']])(
    '[US3-3] [US3-5] %s: fills, fees, cash and equity to the last digit',
    async (convention) => {
      const { result, found } = await play(convention);
      expect(referenceOf(convention)).toMatchObject(found);
      expect(result.venueDifferences).toEqual([]);
      expect(result.strategyFailures).toEqual([]);
    },
  );
});
