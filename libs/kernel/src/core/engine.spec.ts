import { inputId, type AnyEvent } from '@moon/events';
import type { Handler } from '@moon/domain';
import { VolatileLog } from '../log/log-writer';
import type { LogRow } from '../ports/event-store';
import { Engine } from './engine';
import { Recovery } from './recovery';

interface Counting {
  ticks: number;
  sum: number;
}

/** Emits a signal on every third tick; a price of 13 throws after it has spoilt the state. */
function countingAgent(name = 'agent/counting', role: Handler['role'] = 'agent'): Handler<Counting> {
  return {
    name,
    role,
    partitionedBy: 'token',
    consumes: ['price.tick'],
    initialState: () => ({ ticks: 0, sum: 0 }),
    handle(event, state, out) {
      if (event.type !== 'price.tick') return;
      state.ticks += 1;
      state.sum += event.data.price;
      if (event.data.price === 13) throw new Error('I do not like thirteen.');
      if (state.ticks % 3 === 0) {
        const { token, timestamp } = event.data;
        out.emit('signal.generated', {
          token,
          action: 'BUY',
          score: 80,
          confidence: 0.5,
          agent: name,
          reason: 'third tick',
          timestamp,
        });
      }
    },
  };
}

const tick = (price: number, at: number): AnyEvent => ({
  id: inputId({ source: 'feed/test', kind: 'price.tick', instrument: 'BTC.TEST', venueTime: at, values: [price] }),
  type: 'price.tick',
  schemaVersion: 1,
  source: 'feed/test',
  key: 'BTC',
  occurredAt: at,
  correlationId: inputId({
    source: 'feed/test',
    kind: 'price.tick',
    instrument: 'BTC.TEST',
    venueTime: at,
    values: [price],
  }),
  causationId: null,
  data: {
    event_type: 'price.tick',
    token: 'BTC',
    price,
    volume_1m: 0,
    timestamp: at,
    instrument: 'BTC.TEST',
    kind: 'last',
  },
});

const START = 1_700_000_000_000;

function build(handlers: Handler[]): { engine: Engine; rows: LogRow[] } {
  const rows: LogRow[] = [];
  const engine = new Engine({ handlers, log: new VolatileLog((row) => rows.push(row)) });
  return { engine, rows };
}

function feed(engine: Engine, prices: readonly number[], from = 0): void {
  prices.forEach((price, index) => {
    engine.input(tick(price, START + from + index));
    engine.drain();
  });
}

describe('Engine', () => {
  it('gives every event the next seq, and what is emitted the time, cause and correlation of its cause', () => {
    const { engine, rows } = build([countingAgent()]);
    feed(engine, [1, 2, 3]);
    expect(rows.map((row) => [row.seq, row.event.type])).toEqual([
      [1, 'price.tick'],
      [2, 'price.tick'],
      [3, 'price.tick'],
      [4, 'signal.generated'],
    ]);
    const [cause, signal] = [rows[2]?.event, rows[3]?.event];
    expect(signal?.causationId).toBe(cause?.id);
    expect(signal?.correlationId).toBe(cause?.correlationId);
    expect(signal?.occurredAt).toBe(cause?.occurredAt);
  });

  it('drops an input whose id it has taken before', () => {
    const { engine, rows } = build([countingAgent()]);
    expect(engine.input(tick(1, START))).toBe(true);
    expect(engine.input(tick(1, START))).toBe(false);
    engine.drain();
    expect(rows).toHaveLength(1);
  });

  it('[AGT-3] an agent that throws loses that event only: its state is restored, the error and the skip are events, the next event is handled', () => {
    const { engine, rows } = build([countingAgent()]);
    feed(engine, [1, 13, 2, 3]);
    expect(engine.host.state<Counting>('agent/counting', 'BTC')).toEqual({ ticks: 3, sum: 6 });
    const types = rows.map((row) => row.event.type);
    expect(types).toEqual([
      'price.tick',
      'price.tick',
      'agent.error',
      'event.skipped',
      'price.tick',
      'price.tick',
      'signal.generated',
    ]);
    const error = rows[2]?.event;
    expect(error?.type === 'agent.error' && error.data.error).toContain('I do not like thirteen.');
    const skipped = rows[3]?.event;
    expect(skipped?.type === 'event.skipped' && skipped.data.skippedSeq).toBe(2);
  });

  it('[AGT-3] a dead letter that is replayed after the fix reaches its handler as if it came now', () => {
    const { engine, rows } = build([countingAgent()]);
    feed(engine, [1, 13]);
    const poison = rows[1]?.event as AnyEvent;
    const fixed = build([
      { ...countingAgent(), handle: (event, state) => void (state.ticks += event.type === 'price.tick' ? 1 : 0) },
    ]);
    fixed.engine.provideOriginal(poison);
    const data = {
      handler: 'agent/counting',
      handlerKey: 'BTC',
      replayedEventId: poison.id,
      replayedSeq: 2,
      requestedBy: 'ops',
      timestamp: START,
    };
    fixed.engine.input({
      ...poison,
      id: 'ffffffff-0000-5000-8000-000000000001',
      type: 'event.replayed',
      data: { event_type: 'event.replayed', ...data },
    } as AnyEvent);
    fixed.engine.drain();
    expect(fixed.engine.host.state<Counting>('agent/counting', 'BTC')?.ticks).toBe(1);
  });

  it('parks the key of an aggregate, saga or projection at a poisoned event; later events of the key wait in order (rule 25)', () => {
    const { engine, rows } = build([countingAgent('projection/counting', 'projection')]);
    feed(engine, [1, 13, 2, 3]);
    expect(engine.host.state<Counting>('projection/counting', 'BTC')).toEqual({ ticks: 1, sum: 1 });
    expect(engine.parking.list()[0]?.waiting.map((waiting) => waiting.event.id)).toEqual(
      [rows[1], rows[4], rows[5]].map((row) => row?.event.id),
    );
    expect(rows.map((row) => row.event.type)).toContain('key.parked');
  });

  it('handling the log again from any point gives the same states, and finds exactly the outputs that were cut off', () => {
    const prices = [1, 2, 3, 13, 5, 6, 7, 8];
    const whole = build([countingAgent()]);
    feed(whole.engine, prices);
    const expected = whole.engine.host.states();
    for (let cut = 1; cut <= whole.rows.length; cut += 1) {
      const logged = whole.rows.slice(0, cut);
      const again = build([countingAgent()]);
      const recovery = new Recovery(logged);
      again.engine.beginRecovery(recovery);
      for (const row of logged) {
        recovery.record(row.event);
        again.engine.rehandle(row);
      }
      again.engine.endRecovery();
      for (const event of recovery.unlogged()) again.engine.input(event);
      again.engine.drain();
      feed(again.engine, prices.slice(again.engine.feedInputs), again.engine.feedInputs);
      expect(again.engine.host.states()).toEqual(expected);
      expect([...logged, ...again.rows].map((row) => row.event.id)).toEqual(whole.rows.map((row) => row.event.id));
    }
  });

  it('fires a deadline to its handler and key only, and forgets it', () => {
    const alarm: Handler<{ rang: string[] }> = {
      name: 'saga/alarm',
      role: 'saga',
      partitionedBy: 'token',
      consumes: ['price.tick'],
      initialState: () => ({ rang: [] }),
      handle(event, state, out) {
        if (event.type === 'price.tick') out.schedule('ring', event.occurredAt + 5_000, { price: event.data.price });
        if (event.type === 'deadline.reached') state.rang.push(event.data.name);
      },
    };
    const { engine } = build([alarm, countingAgent()]);
    feed(engine, [1, 2]);
    expect(engine.deadlines.snapshot()).toHaveLength(1);
    expect(engine.deadlines.next()?.dueAt).toBe(START + 1 + 5_000);
  });
});
