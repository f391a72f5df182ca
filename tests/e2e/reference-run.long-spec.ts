import { backtestReference, expectReference } from '../support/reference-backtest';
import type { Convention } from '../support/reference-run';

describe('the reference run over the 2,102,400 ticks of 2022', () => {
  it.each<[Convention]>([['tick_next'], ['tick_same']])(
    '[US3-3] [US3-5] %s: books to the last digit, and the metrics',
    async (convention) => expectReference(convention, await backtestReference(convention)),
  );
});
