import { driveHandler, testEvent } from '../../handler';
import type { EmitData } from '@moon/events';
import { createPortfolioProjection } from '../../projections';
import { alerts, BTC, Scene, T0 } from './fixtures/scene';

const CALM = { limits: { max_leverage: 100, drawdown_total: 1, drawdown_day: 1 } };
const scene = () => new Scene(CALM).holds('1', '50000', BTC, '16667').tick(0, 50_000);

/** The snapshot that the projection makes of the same events. */
function snapshotOf(of: Scene, over: Partial<EmitData<'state.snapshot'>> = {}): EmitData<'state.snapshot'> {
  const snapshots = driveHandler(createPortfolioProjection(), of.events, { until: T0 + 300_000 }).of('state.snapshot');
  const last = snapshots[snapshots.length - 1];
  if (last === undefined) throw new Error('no snapshot');
  return { ...last, ...over };
}

/** A snapshot that was taken at `takenAt` and is delivered at `t`, in seconds. */
function snap(t: number, data: EmitData<'state.snapshot'>, takenAt = t) {
  return testEvent('state.snapshot', T0 + t * 1_000, { ...data, timestamp: T0 + takenAt * 1_000 });
}

describe('[RSK-6] comparing snapshots with the own view', () => {
  it('a snapshot of the same events agrees', () => {
    const same = scene();
    expect(same.add(snap(1, snapshotOf(same))).play().emitted).toEqual([]);
  });

  it.each([
    ['cash', (data: EmitData<'state.snapshot'>) => ({ ...data, cash: '100000.000000000001' }), /cash/],
    [
      'a position',
      (data: EmitData<'state.snapshot'>) => ({ ...data, positions: {} }),
      /BTC.HYPERLIQUID 0 instead of 1/,
    ],
    [
      'the equity',
      (data: EmitData<'state.snapshot'>) => ({ ...data, equity: data.equity * 1.02 }),
      /equity differs by 2 %/,
    ],
  ])('a difference in %s is reported, once, until a snapshot agrees again', (_what, change, text) => {
    const other = scene();
    const good = snapshotOf(other);
    other
      .add(snap(1, change(good)))
      .add(snap(2, change(good)))
      .add(snap(3, good))
      .add(snap(4, change(good)));
    const driven = other.play();
    expect(alerts(driven)).toEqual(['state_mismatch', 'state_mismatch']);
    expect(driven.of('risk.alert')[0]).toMatchObject({ severity: 'WARNING', action_required: 'monitor', bound: 0 });
    expect(driven.of('risk.alert')[0]?.message).toMatch(text);
    expect(driven.of('risk.ok')[0]?.clears).toEqual([{ violation_type: 'state_mismatch' }]);
  });

  it('a snapshot that was overtaken by a change is compared with the books of its time', () => {
    const overtaken = scene();
    const before = snapshotOf(overtaken);
    overtaken.tick(5, 50_000).closed(5, '1', '50000', '50000').add(snap(5, before));
    expect(alerts(overtaken.play())).toEqual([]);
    const late = scene().closed(5, '1', '50000', '50000').tick(6, 50_000);
    expect(alerts(late.add(snap(7, before, 4)).play())).toEqual([]);
    const twice = scene().closed(5, '0.5', '50000', '25000').closed(6, '0.5', '50000', '25000');
    const half = scene().closed(5, '0.5', '50000', '25000').closed(6, '0.5', '50000', '25000');
    expect(alerts(half.add(snap(7, before, 4)).play())).toEqual([]);
    expect(alerts(twice.add(snap(7, before, 5.5)).play())).toEqual(['state_mismatch']);
  });
});
