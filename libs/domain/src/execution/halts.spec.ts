import type { EmitData } from '@moon/events';
import { BTC, Desk, opening, T0 } from './fixtures/desk';

const PRICE = 50_000;
const two = () =>
  new Desk()
    .open()
    .open(opening({ portfolio: 'second' }))
    .price(PRICE);
const halts = (desk: Desk, key = 'main') =>
  (desk.states[key]?.portfolio?.halts ?? []).map(({ source, scope, reason }) => `${scope} ${source} ${reason}`);

const alert = (over: Partial<EmitData<'risk.alert'>> = {}): EmitData<'risk.alert'> => ({
  severity: 'CRITICAL',
  violation_type: 'leverage',
  action_required: 'halt_trading',
  portfolio: 'main',
  value: 6,
  bound: 5,
  message: 'Leverage is 6.',
  scope: 'portfolio',
  timestamp: T0,
  ...over,
});
const ok = (...clears: EmitData<'risk.ok'>['clears']): EmitData<'risk.ok'> => ({
  portfolio: 'main',
  clears,
  message: '',
  timestamp: T0,
});

describe('[RSK-1] [RSK-4] halts by the risk agent', () => {
  it('an alert that asks for it halts the portfolio, and only its own all-clear releases it', () => {
    const desk = two().event('risk.alert', alert());
    expect(desk.of('halt.raised')).toEqual([
      {
        source: 'risk:leverage',
        scope: 'portfolio',
        portfolio: 'main',
        reason: 'leverage',
        detail: 'Leverage is 6.',
        timestamp: T0,
      },
    ]);
    expect(halts(desk)).toEqual(['portfolio risk:leverage leverage']);
    expect(halts(desk, 'second')).toEqual([]);
    desk.place('a');
    expect(desk.of('trade.rejected')[0]?.reason).toBe('HALTED');
    desk.event('risk.ok', ok({ violation_type: 'drawdown' }));
    expect(halts(desk)).toHaveLength(1);
    desk.event('risk.ok', ok({ violation_type: 'leverage' }));
    expect(desk.of('halt.lifted')).toHaveLength(1);
    desk.place('b');
    expect(desk.of('order.approved')).toHaveLength(1);
  });

  it('a repeated alert halts once', () => {
    expect(two().event('risk.alert', alert()).event('risk.alert', alert()).of('halt.raised')).toHaveLength(1);
  });

  it('an alert that asks for less halts nothing', () => {
    expect(
      two()
        .event('risk.alert', alert({ action_required: 'monitor' }))
        .of('halt.raised'),
    ).toEqual([]);
  });

  it("one instrument's all-clear lifts nothing of another's", () => {
    const desk = two();
    for (const instrument of [BTC, 'ETH.HYPERLIQUID']) {
      desk.event('risk.alert', alert({ violation_type: 'price_move', instrument }));
    }
    desk.event('risk.ok', ok({ violation_type: 'price_move', instrument: BTC }));
    expect(halts(desk)).toEqual(['portfolio risk:price_move ETH.HYPERLIQUID']);
  });

  it('an alert with global scope halts every portfolio until its own all-clear', () => {
    const desk = two();
    desk.event('risk.alert', alert({ scope: 'global' }));
    desk.event('risk.alert', alert({ scope: 'global', portfolio: 'second' }));
    expect(halts(desk)).toEqual(['global risk:leverage@main leverage', 'global risk:leverage@second leverage']);
    expect(halts(desk, 'second')).toEqual(halts(desk));
    expect(desk.of('halt.raised').map(({ portfolio }) => portfolio)).toEqual([undefined, undefined]);
    desk.event('risk.ok', ok({ violation_type: 'leverage' }));
    expect(halts(desk)).toEqual(['global risk:leverage@second leverage']);
    expect(halts(desk, 'second')).toEqual(['global risk:leverage@second leverage']);
  });
});

describe('halts by command', () => {
  const raise = (desk: Desk, source: string, scope: 'portfolio' | 'global', key = 'main') =>
    desk.command({ type: 'RaiseHalt', key, source, scope, reason: 'maintenance' });
  const lift = (desk: Desk, source: string, scope: 'portfolio' | 'global', key = 'main') =>
    desk.command({ type: 'LiftHalt', key, source, scope, reason: 'maintenance' });

  it('are a set: each source lifts only its own, and trading needs it empty', () => {
    const desk = two();
    raise(raise(desk, 'force-close', 'portfolio'), 'operator', 'portfolio');
    lift(desk, 'force-close', 'portfolio');
    expect(halts(desk)).toEqual(['portfolio operator maintenance']);
    desk.place('a');
    expect(desk.of('trade.rejected')[0]?.reason).toBe('HALTED');
    lift(lift(desk, 'operator', 'portfolio'), 'operator', 'portfolio');
    expect(desk.of('halt.lifted')).toHaveLength(2);
  });

  it.each(['main', 'global'])('a global halt decided under the key %s reaches every portfolio once', (key) => {
    const desk = two();
    raise(raise(desk, 'operator', 'global', key), 'operator', 'global', key);
    expect(desk.of('halt.raised')).toHaveLength(1);
    expect([halts(desk), halts(desk, 'second')]).toEqual([
      ['global operator maintenance'],
      ['global operator maintenance'],
    ]);
    lift(desk, 'operator', 'global', key);
    expect([halts(desk), halts(desk, 'second')]).toEqual([[], []]);
  });

  it("an operator's command is carried out from the log", () => {
    const desk = two();
    const command = (name: 'halt' | 'lift', args: Record<string, string>) =>
      desk.event('operator.command', { command: name, arguments: args, requestedBy: 'anna', timestamp: T0 });
    command('halt', { scope: 'portfolio', portfolio: 'second', reason: 'audit' });
    expect([halts(desk), halts(desk, 'second')]).toEqual([[], ['portfolio operator audit']]);
    command('lift', { scope: 'portfolio', portfolio: 'second', reason: 'audit' });
    command('halt', { scope: 'global', reason: 'audit' });
    expect(halts(desk)).toEqual(['global operator audit']);
    expect(desk.of('halt.raised')).toHaveLength(2);
    command('lift', { scope: 'global', reason: 'audit' });
    expect(halts(desk)).toEqual([]);
  });

  it('[EXE-5] books that have not been compared yet halt for that reason, not for a difference, until they are', () => {
    const desk = two();
    const notYet = { portfolio: 'main', differences: ['not since the start'], isCompared: false, timestamp: T0 };
    desk.event('portfolio.reconciled', notYet);
    expect(halts(desk)).toEqual(['portfolio reconciliation not_compared_yet']);
    desk.event('portfolio.reconciled', { portfolio: 'main', differences: ['BTC 1 instead of 2'], timestamp: T0 });
    expect(halts(desk)).toEqual(['portfolio reconciliation books_differ']);
    desk.event('portfolio.reconciled', notYet);
    desk.event('portfolio.reconciled', { portfolio: 'main', differences: [], timestamp: T0 });
    expect(halts(desk)).toEqual([]);
  });
});

describe('halts that others recorded', () => {
  const foreign = { source: 'cache', scope: 'portfolio' as const, portfolio: 'main', reason: 'down', timestamp: T0 };

  it('are folded when they arrive, those of other portfolios are not', () => {
    const desk = two()
      .event('halt.raised', foreign, 'recorder')
      .event('halt.raised', { ...foreign, portfolio: 'second' }, 'recorder');
    expect(halts(desk)).toEqual(['portfolio cache down']);
    desk.event('halt.lifted', foreign, 'recorder');
    expect(halts(desk)).toEqual([]);
  });

  it('its own are folded when they are emitted and not a second time when they come back', () => {
    const desk = two()
      .event('risk.alert', alert())
      .event('risk.ok', ok({ violation_type: 'leverage' }));
    const late = { ...foreign, source: 'risk:leverage', reason: 'leverage' };
    desk.event('halt.raised', late, 'execution');
    expect(halts(desk)).toEqual([]);
  });

  it('a portfolio that is opened under a global halt is halted too', () => {
    const desk = two();
    desk.command({ type: 'RaiseHalt', key: 'global', source: 'operator', scope: 'global', reason: 'maintenance' });
    desk.open(opening({ portfolio: 'late' }));
    expect(halts(desk, 'late')).toEqual(['global operator maintenance']);
    expect(halts(desk)).toEqual(['global operator maintenance']);
    desk.command({ type: 'LiftHalt', key: 'global', source: 'operator', scope: 'global', reason: 'maintenance' });
    expect(halts(desk, 'late')).toEqual([]);
  });

  describe('a halt of all portfolios that another shard raised', () => {
    const halt = { source: 'risk:leverage@elsewhere', scope: 'global', reason: 'leverage', timestamp: T0 } as const;
    const raise = (desk: Desk): Desk => desk.event('halt.raised', halt, 'execution');
    const lift = (desk: Desk): Desk => desk.event('halt.lifted', halt, 'execution');
    /** A shard in which nobody trades yet. */
    const empty = (): Desk => new Desk().share();

    it('halts a portfolio that is opened here later, and its end there is its end here', () => {
      const desk = raise(empty());
      expect(desk.of('halt.raised')).toEqual([]);
      desk.open(opening({ portfolio: 'late' }));
      expect(halts(desk, 'late')).toEqual(['portfolio global:risk:leverage@elsewhere leverage']);
      // Said as the portfolio's own: nobody elsewhere is halted, or set free, by it.
      expect(desk.of('halt.raised')).toMatchObject([{ scope: 'portfolio', portfolio: 'late' }]);
      lift(desk);
      expect(halts(desk, 'late')).toEqual([]);
      expect(desk.of('halt.lifted')).toMatchObject([{ scope: 'portfolio', portfolio: 'late' }]);
      desk.open(opening({ portfolio: 'later' }));
      expect(halts(desk, 'later')).toEqual([]);
    });

    it('stays as long as it stands there, raised again before its end was heard here', () => {
      const desk = raise(lift(raise(empty().open(opening({ portfolio: 'late' })))));
      expect(halts(desk, 'late')).toEqual(['global risk:leverage@elsewhere leverage']);
      desk.open(opening({ portfolio: 'later' }));
      expect(halts(desk, 'later')).toEqual(['portfolio global:risk:leverage@elsewhere leverage']);
      expect(halts(lift(desk), 'later')).toEqual([]);
    });

    it('halts nobody who comes after it was lifted there', () => {
      const desk = lift(raise(empty())).open();
      expect(halts(desk)).toEqual([]);
      expect(desk.log.filter(({ type }) => type.startsWith('halt.'))).toEqual([]);
    });

    it('an operator’s command is carried out here, too, whatever other shards said before', () => {
      const command = (desk: Desk, what: 'halt' | 'lift'): Desk =>
        desk.event('operator.command', {
          ...{ command: what, arguments: { scope: 'global', reason: 'audit' }, requestedBy: 'ann', timestamp: T0 },
        });
      const asked = { source: 'operator', scope: 'global', reason: 'audit', timestamp: T0 } as const;
      const desk = two().share();
      command(desk.event('halt.raised', asked, 'execution'), 'halt');
      expect(desk.of('halt.raised')).toHaveLength(1);
      expect(halts(desk)).toEqual(['global operator audit']);
      // Another shard was quicker: this one's own record ends with its own command.
      desk.event('halt.lifted', asked, 'execution');
      expect(desk.of('halt.lifted')).toEqual([]);
      command(desk, 'lift');
      expect(desk.of('halt.lifted')).toHaveLength(1);
    });
  });

  it('books that differ from the venue halt until they agree', () => {
    const desk = two();
    desk.event('portfolio.reconciled', { portfolio: 'main', differences: ['BTC 1 instead of 2'], timestamp: T0 });
    expect(halts(desk)).toEqual(['portfolio reconciliation books_differ']);
    expect(desk.of('halt.raised')[0]?.detail).toBe('BTC 1 instead of 2');
    desk.event('portfolio.reconciled', { portfolio: 'main', differences: [], timestamp: T0 });
    expect(halts(desk)).toEqual([]);
  });
});
