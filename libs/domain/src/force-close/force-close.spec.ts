import { derivedId } from '@moon/events';
import { createForceCloseSaga } from './force-close';
import {
  allClear,
  BTC,
  CLOSE,
  closing,
  confirmed,
  critical,
  forceClose,
  halted,
  happened,
  lifted,
  long,
  ORDER,
  resting,
  sold,
} from './testing/events';
import { PORTFOLIO, T0 } from './testing/world';

const ETH = { token: 'ETH', instrument: 'ETH.X' };
const trigger = critical(10);
const sagaId = derivedId(trigger.id, 'saga/force-close/saga', 0);
/** Danger, HALT, one closing order that fills whole, at 40 ms. */
const toFlat = [long('1'), trigger, halted(20), closing(30, 1, '1'), sold(40, CLOSE(1), '1', '1', true)];
const closeCommand = (attempt: number) => ({
  type: 'ClosePosition',
  key: PORTFOLIO,
  portfolio: PORTFOLIO,
  instrument: 'BTC.X',
  origin: 'force_close',
  priority: 'force_close',
  reason: 'force_close',
  sagaId,
  attempt,
});
const halt = { type: 'RaiseHalt', key: PORTFOLIO, source: 'force-close', scope: 'portfolio', reason: 'force_close' };

describe('force close: HALT first', () => {
  it('[RSK-2] risk.critical starts it: HALT and nothing else until the halt is in force', () => {
    const { commands, reports } = forceClose([long('1'), resting(ORDER), trigger, happened('risk.alert', 11)], {
      until: 15,
    });
    expect(commands).toEqual([expect.objectContaining(halt)]);
    expect(reports).toMatchObject([{ portfolio: PORTFOLIO, sagaId, stage: 'started', ...BTC, timestamp: T0 + 10 }]);
  });

  it('asks for the halt again until it is confirmed, and says so when it never is', () => {
    const { commands, stages } = forceClose([long('1'), trigger], { until: 120_000, config: { maxAttempts: 3 } });
    expect(commands.length).toBeGreaterThan(4);
    expect(new Set(commands.map(({ type }) => type))).toEqual(new Set(['RaiseHalt']));
    expect(stages).toEqual(['started', 'failed']);
  });

  it('raises the halt again when another hand lifts it too early, and closes nothing meanwhile', () => {
    const { commands } = forceClose([long('1'), resting(ORDER), trigger, halted(20), lifted(30), halted(60)], {
      until: 60,
    });
    expect(commands.map(({ type }) => type)).toEqual(['RaiseHalt', 'CancelOrder', 'RaiseHalt']);
  });

  it.each([
    [
      'a risk.alert that asks to close positions',
      happened('risk.alert', 10, { ...BTC, action_required: 'close_positions' }),
    ],
    ['a liquidation by the venue', happened('portfolio.liquidated', 10, { ...BTC, quantity: '0.4' })],
    [
      'an operator’s halt with the reason force_close',
      happened('halt.raised', 10, { source: 'operator', scope: 'portfolio', reason: 'force_close' }),
    ],
  ])('%s starts it too', (_, event) => {
    expect(forceClose([long('1'), event]).commands).toEqual([expect.objectContaining(halt)]);
  });

  it.each([
    ['a risk.alert that asks for less', happened('risk.alert', 10, { action_required: 'reduce_positions' })],
    ['a halt for another reason', happened('halt.raised', 10)],
    ['a global halt', happened('halt.raised', 10, { source: 'operator', scope: 'global', reason: 'force_close' })],
    ['an event of warm-up', { ...trigger, headers: { warmup: true as const } }],
    ['risk.ok', allClear(10)],
  ])('%s does not', (_, event) => {
    const { commands, emitted } = forceClose([long('1'), event]);
    expect([...commands, ...emitted]).toEqual([]);
  });

  it('one at a time: further triggers start no second one', () => {
    const { stages, commands } = forceClose([long('1'), trigger, critical(11), critical(12, ETH), trigger]);
    expect(stages).toEqual(['started']);
    expect(commands).toHaveLength(1);
  });
});

describe('force close: cancel, then close reduce-only', () => {
  it('[RSK-5] cancels every open order, waits for their ends, then closes on the priority path', () => {
    const other = '00000000-0000-5000-8000-0000000000bb';
    const events = [long('1'), resting(ORDER), resting(other), trigger, halted(20)];
    const first = forceClose(events);
    expect(first.commands.slice(1)).toEqual([
      { type: 'CancelOrder', key: PORTFOLIO, orderId: ORDER, reason: 'force_close' },
      { type: 'CancelOrder', key: PORTFOLIO, orderId: other, reason: 'force_close' },
    ]);
    const gone = (order_id: string, at: number) => happened('trade.cancelled', at, { order_id });
    const half = forceClose([...events, gone(ORDER, 30)]);
    expect(half.commands).toHaveLength(3);
    const whole = forceClose([...events, gone(ORDER, 30), gone(other, 31)]);
    expect(whole.commands.slice(3)).toEqual([closeCommand(1)]);
    expect(whole.stages).toEqual(['started', 'halted', 'cancelling', 'closing']);
  });

  it('closes anyway when cancels take too long, and goes on cancelling', () => {
    const { commands } = forceClose([long('1'), resting(ORDER), trigger, halted(20)], { until: 2_020 });
    const types = commands.map(({ type }) => type);
    expect(types.filter((type) => type === 'CancelOrder').length).toBeGreaterThan(1);
    expect(types.at(-1)).toBe('ClosePosition');
  });

  it('an order that a cancel cannot catch counts as position', () => {
    const filled = happened('trade.executed', 25, {
      ...BTC,
      order_id: ORDER,
      side: 'buy',
      quantity: '0.5',
      cumulativeQuantity: '0.5',
      status: 'FILLED',
    });
    const { state, commands } = forceClose([long('1'), resting(ORDER), trigger, halted(20), filled]);
    expect(state.positions).toEqual({ 'BTC.X': { token: 'BTC', quantity: '1.5' } });
    expect(commands.at(-1)).toEqual(closeCommand(1));
  });

  it('[RSK-5] closes every position at once, each as an order of its own', () => {
    const { commands, reports } = forceClose([long('1'), long('20', ETH), trigger, halted(20)]);
    expect(commands.slice(1)).toEqual([closeCommand(1), { ...closeCommand(1), instrument: 'ETH.X' }]);
    expect(reports.filter(({ stage }) => stage === 'closing')).toMatchObject([BTC, ETH]);
  });
});

describe('force close: what comes in between', () => {
  const started = [long('1'), trigger, halted(20), closing(30, 1, '1')];

  it('a partial fill: the rest is closed at once by the next attempt', () => {
    const partly = [sold(40, CLOSE(1), '0.4', '0.4', false), happened('trade.cancelled', 41, { order_id: CLOSE(1) })];
    const { commands, stages, state } = forceClose([...started, ...partly], { until: 41 });
    expect(state.positions['BTC.X']?.quantity).toBe('0.6');
    expect(commands.slice(1)).toEqual([closeCommand(1), closeCommand(2)]);
    expect(stages.at(-1)).toBe('retrying');
  });

  it('rejections: the waits double, then it says failed once, stays halted, and goes on slowly', () => {
    const events = [...started];
    const rejectedAt = [40];
    const config = { retryMs: 500, maxAttempts: 3, slowRetryMs: 30_000 };
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const at = rejectedAt.at(-1)!;
      if (attempt > 1) events.push(closing(at - 5, attempt, '1'));
      events.push(happened('trade.rejected', at, { ...BTC, order_id: CLOSE(attempt) }));
      rejectedAt.push(at + [500, 1_000, 30_000, 30_000, 30_000][attempt - 1]! + 10);
    }
    const { scheduled, stages, state, commands } = forceClose(events, { until: 62_000, config });
    const waits = scheduled.map(({ at }) => at - T0);
    for (const wait of [540, 1_550, 31_560, 61_570]) expect(waits).toContain(wait);
    expect(commands.filter(({ type }) => type === 'ClosePosition')).toHaveLength(5);
    expect(stages.filter((stage) => stage === 'failed')).toHaveLength(1);
    expect(state.isHalted).toBe(true);
    expect(commands.map(({ type }) => type)).not.toContain('LiftHalt');
  });

  it('an unknown outcome: no second order while the first has no end, but it is said when that takes long', () => {
    const unknown = happened('order.outcome_unknown', 40, { order_id: CLOSE(1) });
    const { commands, stages, pending } = forceClose([...started, unknown], { until: 3_600_000 });
    expect(commands.slice(1)).toEqual([closeCommand(1)]);
    expect(stages.filter((stage) => stage === 'failed')).toHaveLength(1);
    expect(pending).toEqual([]);
    const resolved = forceClose([...started, unknown, sold(400_000, CLOSE(1), '1', '1', true)], { until: 400_000 });
    expect(resolved.stages.at(-1)).toBe('flat');
  });

  it('no answer at all from the owner: it asks again under the next number', () => {
    const { commands } = forceClose(started.slice(0, 3), { until: 1_600 });
    expect(commands.slice(1)).toEqual([closeCommand(1), closeCommand(2), closeCommand(3)]);
  });

  it('fills count once, whether they come twice, late, out of order, or after the order was said to be over', () => {
    const fills = [sold(40, CLOSE(1), '0.3', '0.3', false), sold(41, CLOSE(1), '0.3', '0.6', false)];
    const over = happened('trade.cancelled', 42, { order_id: CLOSE(1) });
    const orders = [
      [...fills, ...fills, over],
      [fills[1]!, fills[0]!, over],
      [fills[0]!, over, fills[1]!],
      [over, fills[1]!, fills[0]!, over],
      [fills[1]!, over, over, fills[0]!, fills[1]!],
    ];
    for (const order of orders) {
      const { state } = forceClose([...started, ...order]);
      expect(state.positions['BTC.X']?.quantity).toBe('0.4');
      expect(state.orders).toEqual({});
    }
  });

  it('an order that ended before its request arrived stays ended', () => {
    const end = happened('trade.rejected', 5, { ...BTC, order_id: ORDER });
    expect(forceClose([long('1'), end, resting(ORDER)]).state.orders).toEqual({});
  });

  it('a liquidation by the venue brings a position to zero and never beyond, and counts once', () => {
    const liquidated = happened('portfolio.liquidated', 35, { ...BTC, quantity: '1.2' });
    const { state, stages } = forceClose([
      ...started,
      liquidated,
      liquidated,
      happened('trade.cancelled', 40, { order_id: CLOSE(1) }),
    ]);
    expect(state.positions).toEqual({});
    expect(stages.at(-1)).toBe('flat');
  });
});

describe('force close: verify flat, release', () => {
  const config = { cooldownMs: 1_000 };
  const types = (run: { commands: { type: string }[] }): string[] => run.commands.map(({ type }) => type);

  it('[RSK-5] releases when the venue confirms flat, risk is cleared and the cool-down is over', () => {
    const run = forceClose([...toFlat, confirmed(50), allClear(60), lifted(1_041)], { until: 5_000, config });
    expect(run.stages).toEqual(['started', 'halted', 'closing', 'flat', 'released']);
    expect(run.commands.at(-1)).toEqual({ ...halt, type: 'LiftHalt' });
    expect(run.state.saga).toBeNull();
    expect(run.pending).toEqual([]);
  });

  it.each([
    ['the venue has not confirmed', [allClear(60)]],
    ['risk is not cleared', [confirmed(50)]],
    ['another violation is cleared', [confirmed(50), allClear(60, ETH)]],
    ['the venue’s books differ', [confirmed(50, ['BTC.X: venue 0.1, ours 0']), allClear(60)]],
    ['the confirmation is older than being flat', [confirmed(39), allClear(60)]],
  ])('stays halted while %s', (_, events) => {
    expect(types(forceClose([...toFlat, ...events], { until: 4_000_000, config }))).not.toContain('LiftHalt');
  });

  it('waits for the cool-down also when risk cleared at once, or before the trigger arrived', () => {
    const cleared = [...toFlat, confirmed(50), allClear(60)];
    expect(types(forceClose(cleared, { until: 1_039, config }))).not.toContain('LiftHalt');
    expect(types(forceClose(cleared, { until: 1_040, config }))).toContain('LiftHalt');
    const early = [long('1'), allClear(15), ...toFlat.slice(1), confirmed(50)];
    expect(types(forceClose(early, { until: 1_040, config }))).toContain('LiftHalt');
    const earlier = [long('1'), allClear(5), ...toFlat.slice(1), confirmed(50)];
    expect(types(forceClose(earlier, { until: 9_000, config }))).not.toContain('LiftHalt');
  });

  it('is not flat while an order has no end, even when every position is closed', () => {
    const events = [resting(ORDER), trigger, halted(20)];
    const open = forceClose(events, { until: 60_000, config: { cancelWaitMs: 100 } });
    expect(open.stages).not.toContain('flat');
    const over = forceClose([...events, happened('trade.expired', 60_000, { order_id: ORDER })], { until: 60_000 });
    expect(over.stages.at(-1)).toBe('flat');
  });

  it('a closing order that has nothing left to close is cancelled', () => {
    const gone = happened('portfolio.liquidated', 35, { ...BTC, quantity: '1' });
    const { commands } = forceClose([...toFlat.slice(0, 4), gone]);
    expect(commands.at(-1)).toMatchObject({ type: 'CancelOrder', orderId: CLOSE(1) });
  });

  it('asks the venue again with growing waits, and says failed when no confirmation comes', () => {
    const { reports } = forceClose(toFlat, { until: 10_000, config: { maxAttempts: 3 } });
    const asked = reports.filter(({ stage }) => stage === 'flat').map(({ timestamp }) => timestamp - T0);
    expect(asked.slice(0, 4)).toEqual([40, 540, 1_540, 31_540].filter((at) => at <= 10_000));
    const later = forceClose(toFlat, { until: 40_000, config: { maxAttempts: 3 } });
    expect(later.stages.filter((stage) => stage === 'failed')).toHaveLength(1);
  });

  it('a late fill after being flat leads back to closing, and the cool-down starts anew', () => {
    const late = happened('trade.executed', 70, {
      ...BTC,
      order_id: ORDER,
      side: 'buy',
      quantity: '0.5',
      cumulativeQuantity: '0.5',
      status: 'FILLED',
    });
    const events = [...toFlat, confirmed(50), allClear(60), late];
    const reopened = forceClose(events, { until: 70, config });
    expect(reopened.stages.slice(-2)).toEqual(['retrying', 'retrying']);
    expect(reopened.commands.at(-1)).toEqual(closeCommand(2));
    const again = [...events, closing(80, 2, '0.5'), sold(90, CLOSE(2), '0.5', '0.5', true), confirmed(95)];
    expect(types(forceClose(again, { until: 1_089, config }))).not.toContain('LiftHalt');
    expect(types(forceClose(again, { until: 1_090, config }))).toContain('LiftHalt');
  });

  it('a further trigger before the release is to be cleared as well, and flat is proven anew', () => {
    const events = [...toFlat, confirmed(50), allClear(60), critical(500, ETH)];
    expect(types(forceClose([...events, confirmed(510)], { until: 9_000, config }))).not.toContain('LiftHalt');
    const cleared = forceClose([...events, confirmed(510), allClear(520, ETH)], { until: 1_500, config });
    expect(types(cleared).at(-1)).toBe('LiftHalt');
    expect(cleared.scheduled.at(-1)?.at).toBe(T0 + 2_000);
  });

  it('danger that shows while the halt is being lifted halts again', () => {
    const events = [...toFlat, confirmed(50), allClear(60), critical(1_050, ETH), lifted(1_060)];
    const { commands, stages } = forceClose(events, { until: 1_060, config });
    expect(types({ commands }).slice(-2)).toEqual(['LiftHalt', 'RaiseHalt']);
    expect(stages).not.toContain('released');
  });

  it('late or repeated news of an earlier halt is not taken for the present one', () => {
    const lift = lifted(1_041);
    const first = [...toFlat, confirmed(50), allClear(60), lift];
    const again = [...first, critical(2_000), halted(2_010)];
    for (const stale of [lift, lifted(1_040)]) {
      const { state, commands } = forceClose([...again, stale], { until: 2_010, config });
      expect(state.isHalted).toBe(true);
      expect(commands.at(-1)).toMatchObject({ type: 'RaiseHalt' });
      expect(types({ commands }).filter((type) => type === 'RaiseHalt')).toHaveLength(2);
    }
  });

  it('repeats the lift until it is confirmed', () => {
    const run = forceClose([...toFlat, confirmed(50), allClear(60)], { until: 2_600, config });
    expect(types(run).filter((type) => type === 'LiftHalt')).toHaveLength(3);
  });

  it('a trigger that comes again after the release starts nothing', () => {
    const done = [...toFlat, confirmed(50), allClear(60), lifted(1_041)];
    const again = forceClose([...done, { ...trigger, occurredAt: T0 + 2_000 }], { until: 5_000, config });
    expect(again.state.saga).toBeNull();
    expect(again.commands).toEqual(forceClose(done, { until: 5_000, config }).commands);
  });
});

describe('force close: state and configuration', () => {
  it('the state hash sees orders, positions, halt and stage, but no attempts and no ids of events', () => {
    const saga = createForceCloseSaga();
    const { state } = forceClose([long('1'), trigger, halted(20), closing(30, 1, '1')]);
    const view = JSON.stringify(saga.hashView?.(state));
    expect(view).toContain('"stage":"closing"');
    expect(view).toContain('"quantity":"1"');
    expect(view).not.toContain(sagaId);
    expect(view).not.toMatch(/tries|attempt|wakeAt/);
    expect(saga.hashView?.(saga.initialState(PORTFOLIO))).toMatchObject({ isHalted: false, saga: null });
  });

  it.each([[{ maxAttempts: 0 }], [{ retryMs: -1 }], [{ cooldownMs: 1.5 }]])('%j is refused', (config) => {
    expect(() => createForceCloseSaga(config)).toThrow(/saga\/force-close/);
  });
});
