import type { AnyEvent } from '@moon/events';
import { createBarBuilder, createConsensusSaga, createTradingAgent, testEvent, type Handler } from '@moon/domain';
import { ruleBasedModelAdapter } from '../adapters/rule-based-model';
import { MemoryEventStore } from '../memory/memory-event-store';
import type { EffectAdapter } from '../ports/effect';
import type { LogRow } from '../ports/event-store';
import { VenueTimeout, type VenuePort, type VenueReport } from '../ports/venue';
import { LiveBed, turns } from '../testing/live-bed';
import { T0, tick } from '../testing/venue-desk';
import { VenueLink } from '../venue-link/venue-link';
import { saveCheckpoint } from './recover';

const BTC = 'BTC.HYPERLIQUID';
const MINUTE = 60_000;

const signal = (at: number, agent: string, action: 'BUY' | 'SELL', windowId?: string): AnyEvent => {
  const data = { token: 'BTC', action, score: 90, confidence: 0.9, agent, reason: 'a test', timestamp: T0 + at };
  return testEvent('signal.generated', T0 + at, { ...data, ...(windowId === undefined ? {} : { windowId }) });
};

/** Rings `afterMs` after each tick of its key. */
function alarm(partitionedBy: Handler['partitionedBy'], afterMs: number): Handler<{ rang: number }> {
  return {
    name: `saga/alarm-${partitionedBy}`,
    role: 'saga',
    partitionedBy,
    consumes: ['price.tick'],
    initialState: () => ({ rang: 0 }),
    handle(event, state, out) {
      if (event.type === 'deadline.reached') state.rang += 1;
      else out.schedule('ring', event.occurredAt + afterMs);
    },
  };
}

/** Asks the outside on every tick. */
const asker: Handler<{ asked: number }> = {
  name: 'agent/asker',
  role: 'agent',
  partitionedBy: 'token',
  consumes: ['price.tick'],
  initialState: () => ({ asked: 0 }),
  handle(event, state, out) {
    if (event.type !== 'price.tick') return;
    state.asked += 1;
    const { token, timestamp } = event.data;
    const inferenceId = event.id;
    out.emit('inference.requested', {
      ...{
        token,
        inferenceId,
        agent: 'asker',
        model: 'test',
        prompt: 'what now',
        features: {},
        timeoutMs: 1_000,
        timestamp,
      },
    });
  },
};

/** Answers inferences by a function of the test. */
function answering(
  perform: EffectAdapter['perform'],
  more: Partial<Pick<EffectAdapter, 'isPure' | 'concurrency'>> = {},
): EffectAdapter {
  return {
    name: 'model/test',
    performs: ['inference.requested'],
    concurrency: 'parallel',
    requestKey: (request) => request.id,
    settledBy: ['inference.completed'],
    settles: (event) => event.causationId,
    perform,
    ...more,
  };
}

function answerTo(request: AnyEvent): AnyEvent {
  if (request.type !== 'inference.requested') throw new Error('not an inference');
  const { token, inferenceId, agent, model, timestamp } = request.data;
  const data = { token, inferenceId, agent, model, provider: 'rule-based', status: 'ok', answer: 'wait' } as const;
  return testEvent(
    'inference.completed',
    request.occurredAt,
    { ...data, latencyMs: 0, timestamp },
    { causationId: request.id, correlationId: request.correlationId },
  );
}

/** A store whose writes wait until the test lets them through. */
class HeldStore extends MemoryEventStore {
  private release: () => void = () => undefined;
  private gate = new Promise<void>((resolve) => (this.release = resolve));

  override async appendBatch(rows: readonly LogRow[]): Promise<void> {
    await this.gate;
    await super.appendBatch(rows);
  }

  open(): void {
    this.release();
  }
}

describe('LiveRuntime', () => {
  it('records inputs in the order in which they arrive, whatever their own times are (rule 1)', async () => {
    const bed = new LiveBed({ handlers: [createBarBuilder()] }).start();
    const inputs = [tick(BTC, 500, 100), tick('ETH.HYPERLIQUID', 100, 10), tick(BTC, 300, 101)];
    bed.submit(...inputs);
    const rows = await bed.rows();
    expect(rows.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(rows.map(({ event }) => event.id)).toEqual(inputs.map(({ id }) => id));
  });

  it('takes an input that comes twice once, and feeds it to the venue once', async () => {
    const seen: string[] = [];
    const market = (event: AnyEvent): VenueReport[] => (seen.push(event.id), []);
    const venue = new VenueLink({ ...idleVenue(), market }, {}, false);
    const bed = new LiveBed({ handlers: [], venue }).start();
    bed.submit(tick(BTC, 1, 100), tick(BTC, 1, 100));
    expect(await bed.rows()).toHaveLength(1);
    expect(seen).toHaveLength(1);
  });

  it('lets inputs wait until it is started', async () => {
    const bed = new LiveBed({ handlers: [alarm('token', 10)] });
    bed.submit(tick(BTC, 0, 100));
    expect(bed.engine.queued).toBe(1);
    bed.start();
    expect(bed.engine.queued).toBe(0);
  });

  it('fires deadlines by the clock, without any input: the bar builder closes its bar at the end of the minute', async () => {
    const bed = new LiveBed({ handlers: [createBarBuilder()] }).start();
    bed.submit(tick(BTC, 0, 100), tick(BTC, 20_000, 105));
    await bed.pass(MINUTE - 1);
    expect(await bed.types()).not.toContain('bar.closed');
    await bed.pass(1);
    const rows = await bed.rows();
    expect(rows.map(({ event }) => event.type).slice(-2)).toEqual(['deadline.reached', 'bar.closed']);
    expect(rows[rows.length - 2]?.event.occurredAt).toBe(T0 + MINUTE);
  });

  it('lets the inputs that were there when it fell due be consumed before a consensus deadline', async () => {
    // The wall clock runs out after every 64 events, so that one turn cannot handle what waits.
    let wall = 0;
    const bed = new LiveBed({ handlers: [createConsensusSaga()], wall: () => (wall += 10) }).start();
    bed.submit(signal(0, 'trading_agent', 'BUY'));
    await turns();
    const opened = (await bed.rows()).find(({ event }) => event.type === 'consensus.opened')?.event;
    const windowId = opened?.type === 'consensus.opened' ? opened.data.windowId : '';
    const waiting = Array.from({ length: 300 }, (_, index) => signal(4_000, `bystander-${index}`, 'SELL', windowId));
    bed.clock.advance(5_000);
    bed.submit(...waiting, signal(4_999, 'chart_agent', 'BUY', windowId));
    await turns();
    const rows = await bed.rows();
    const vote = rows.find(({ event }) => event.type === 'signal.generated' && event.data.agent === 'chart_agent');
    const deadline = rows.find(({ event }) => event.type === 'deadline.reached');
    const approved = rows.find(({ event }) => event.type === 'trade.consensus_approved')?.event;
    expect(deadline?.seq).toBeGreaterThan(vote?.seq ?? Infinity);
    expect(approved?.type === 'trade.consensus_approved' && approved.data.contributing_agents).toEqual([
      'trading_agent',
      'chart_agent',
    ]);
  });

  it('takes a protective deadline at once, behind nothing but what is in the queue already', async () => {
    let wall = 0;
    const bed = new LiveBed({
      handlers: [alarm('portfolio', 10), alarm('token', 10)],
      wall: () => (wall += 10),
    }).start();
    bed.submit(tick(BTC, 0, 100));
    const burst = Array.from({ length: 200 }, (_, index) => tick(BTC, 0, 200 + index));
    burst.forEach((event) => bed.engine.input(event));
    bed.clock.advance(10);
    bed.submit(tick('ETH.HYPERLIQUID', 11, 300));
    const rows = await bed.rows();
    const order = rows.map(({ event }) => (event.type === 'deadline.reached' ? event.data.handler : event.type));
    const protective = order.indexOf('saga/alarm-portfolio');
    expect(protective).toBe(1 + burst.length);
    expect(order.indexOf('saga/alarm-token')).toBeGreaterThan(protective + 1);
  });

  it('fires what fell due while it was not running when it starts again, once', async () => {
    const first = new LiveBed({ handlers: [createBarBuilder()] }).start();
    first.submit(tick(BTC, 0, 100));
    await first.rows();
    const { bed: again } = await first.restarted();
    again.clock.advance(10 * MINUTE);
    again.start();
    await again.pass(0);
    await again.pass(MINUTE);
    expect((await again.types()).filter((type) => type === 'deadline.reached')).toHaveLength(1);
  });

  it('performs an effect only after its request is stored; a pure one at once', async () => {
    const store = new HeldStore();
    const performed: string[] = [];
    const outside = answering(
      (request) => (performed.push(`outside ${request.type}`), [{ event: answerTo(request), availableAt: 0 }]),
    );
    const pure = {
      ...answering((request) => (performed.push(`pure ${request.type}`), []), { isPure: true }),
      name: 'pure',
    };
    const bed = new LiveBed({ handlers: [asker], adapters: [outside, pure], store }).start();
    bed.submit(tick(BTC, 0, 100));
    await turns();
    expect(performed).toEqual(['pure inference.requested']);
    store.open();
    await turns();
    expect(performed).toEqual(['pure inference.requested', 'outside inference.requested']);
    expect(await bed.types()).toEqual(['price.tick', 'inference.requested', 'inference.completed']);
  });

  it("takes an effect's result when it is available by the run's clock, with its request as the cause", async () => {
    const bed = new LiveBed({
      handlers: [asker],
      adapters: [ruleBasedModelAdapter({ minMs: 200, maxMs: 200 })],
    }).start();
    bed.submit(tick(BTC, 0, 100));
    await bed.pass(199);
    expect(await bed.types()).not.toContain('inference.completed');
    await bed.pass(1);
    const [, request, answer] = (await bed.rows()).map(({ event }) => event);
    expect(answer?.type).toBe('inference.completed');
    expect(answer?.causationId).toBe(request?.id);
    expect(answer?.occurredAt).toBe(T0 + 200);
  });

  it('performs the requests of one key one after the other, and lets other keys pass', async () => {
    const begun: string[] = [];
    const ends: Array<() => void> = [];
    const slow = answering(
      async (request) => {
        begun.push(request.key);
        await new Promise<void>((resolve) => ends.push(resolve));
        return [{ event: answerTo(request), availableAt: 0 }];
      },
      { concurrency: 'ordered' },
    );
    const bed = new LiveBed({ handlers: [asker], adapters: [slow] }).start();
    bed.submit(tick(BTC, 0, 100), tick(BTC, 1, 101), tick('ETH.HYPERLIQUID', 2, 10));
    await turns();
    expect(begun).toEqual(['BTC', 'ETH']);
    ends[0]?.();
    await turns();
    expect(begun).toEqual(['BTC', 'ETH', 'BTC']);
  });

  it('finishes after a restart what had no result, and tells the adapter to look before it acts', async () => {
    const first = new LiveBed({ handlers: [asker], adapters: [answering(() => [])] }).start();
    first.submit(tick(BTC, 0, 100));
    await first.rows();
    const told: boolean[] = [];
    const adapter = answering(
      (request, { recovering }) => (told.push(recovering), [{ event: answerTo(request), availableAt: 0 }]),
    );
    const { bed: again } = await first.restarted({ adapters: [adapter] });
    again.start();
    await turns();
    expect(told).toEqual([true]);
    expect(again.engine.effects.unsettled()).toEqual([]);
  });

  it('tells once of an adapter that breaks, and takes no more inputs', async () => {
    const broken = answering(() => Promise.reject(new Error('the line is cut')));
    const bed = new LiveBed({ handlers: [asker], adapters: [broken] }).start();
    bed.submit(tick(BTC, 0, 100), tick(BTC, 1, 101));
    await turns();
    expect(bed.failures.map(({ message }) => message)).toEqual(['the line is cut']);
    expect(bed.runtime.submit(tick(BTC, 2, 102))).toBe(false);
  });

  it('wakes the venue when something of its own falls due, and takes its reports', async () => {
    let due: number | null = null;
    const report: VenueReport = {
      portfolio: 'main',
      venue: 'test',
      reportId: 'r1',
      venueSeq: 1,
      kind: 'margin_call',
      amount: '1',
      timestamp: T0 + 40,
    };
    const port: VenuePort = {
      ...idleVenue(),
      market: () => ((due = T0 + 40), []),
      nextDueAt: () => due,
      advanceTo: (ms) => (due !== null && ms >= due ? ((due = null), [report]) : []),
    };
    const bed = new LiveBed({ handlers: [], venue: new VenueLink(port, {}, false) }).start();
    const cause = tick(BTC, 0, 100);
    bed.submit(cause);
    await bed.pass(39);
    expect(await bed.types()).toEqual(['price.tick']);
    await bed.pass(1);
    const rows = await bed.rows();
    expect(rows.map(({ event }) => event.type)).toEqual(['price.tick', 'venue.report']);
    expect(rows[1]?.event.causationId).toBe(cause.id);
    expect(bed.clock.next).toBeNull();
  });

  it('[EXE-4] takes the reports of a venue in its order, also when the answer to a later call is through first', async () => {
    const reported = (venueSeq: number): VenueReport => ({
      ...{ venue: 'test', venueSeq, reportId: `main-${venueSeq}`, portfolio: 'main', kind: 'margin_call' },
      ...{ amount: '1', timestamp: T0 },
    });
    const port: VenuePort = {
      ...idleVenue(),
      submit: () => Promise.resolve([reported(1), reported(2)]),
      market: (event) => Promise.resolve(event.occurredAt > T0 ? [reported(3)] : []),
    };
    const venue = new VenueLink(port, {}, true);
    let pass: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (pass = resolve));
    const slow = answering(async () => {
      const reports = await venue.take(port.submit({} as never));
      await held;
      return reports.map((event) => ({ event, availableAt: T0 }));
    });
    const bed = new LiveBed({ handlers: [asker], adapters: [slow], venue }).start();
    bed.submit(tick(BTC, 0, 100));
    await turns();
    // Two reports are on their way; a checkpoint of this moment must not say that they have come in.
    expect(venue.snapshot().lastSeq).toEqual({ main: 0 });
    bed.submit(tick('ETH.HYPERLIQUID', 1, 100));
    await turns();
    pass();
    const reports = (await bed.rows()).flatMap(({ event }) =>
      event.type === 'venue.report' ? [event.data.venueSeq] : [],
    );
    expect(reports).toEqual([1, 2, 3]);
    expect(venue.snapshot().lastSeq).toEqual({ main: 3 });
    expect(bed.failures).toEqual([]);
  });

  it('goes on without a venue that does not answer', async () => {
    const silent = (): Promise<never> => Promise.reject(new VenueTimeout('no answer'));
    const venue = new VenueLink({ ...idleVenue(), market: silent }, {}, true);
    const bed = new LiveBed({ handlers: [createBarBuilder()], venue }).start();
    bed.submit(tick(BTC, 0, 100));
    await turns();
    bed.submit(tick(BTC, 1, 101));
    expect(await bed.types()).toEqual(['price.tick', 'bar.opened', 'price.tick']);
    expect(bed.failures).toEqual([]);
  });

  it('stops after what is under way: effects end, the log is stored, later inputs are refused', async () => {
    let end: () => void = () => undefined;
    const slow = answering(async (request) => {
      await new Promise<void>((resolve) => (end = resolve));
      return [{ event: answerTo(request), availableAt: 0 }];
    });
    const bed = new LiveBed({ handlers: [asker, alarm('token', 5)], adapters: [slow] }).start();
    bed.submit(tick(BTC, 0, 100));
    await turns();
    const stopped = bed.runtime.stop();
    await turns();
    end();
    await stopped;
    expect(bed.runtime.submit(tick(BTC, 1, 101))).toBe(false);
    expect(await bed.types()).toEqual(['price.tick', 'inference.requested', 'inference.completed']);
    await bed.pass(1_000);
    expect(await bed.store.lastSeq()).toBe(bed.engine.lastSeq);
    expect(bed.clock.next).toBeNull();
  });

  it('goes on when an effect does not end in time: its request is open, and is finished at the next start', async () => {
    const never = answering(() => new Promise(() => undefined));
    const bed = new LiveBed({ handlers: [asker], adapters: [never] }).start();
    bed.submit(tick(BTC, 0, 100));
    await bed.runtime.stop(20);
    expect(bed.engine.effects.unsettled()).toHaveLength(1);
  });

  it('handled again from the beginning or from any checkpoint, its log gives the same states and no other event (rule 1)', async () => {
    const handlers = [createBarBuilder(), createTradingAgent(), createConsensusSaga(), alarm('portfolio', 700)];
    const bed = new LiveBed({ handlers, adapters: [ruleBasedModelAdapter({ minMs: 100, maxMs: 300 })] }).start();
    const checkpoints: Array<{ entries: unknown; seq: number }> = [];
    for (let minute = 0; minute < 90; minute += 1) {
      for (let second = 0; second < 60; second += 5) {
        const price = 100 + 10 * Math.sin(minute / 9) + ((minute * 7 + second) % 11) / 10;
        bed.submit(tick(BTC, minute * MINUTE + second * 1_000, Number(price.toFixed(2)), { size: 1 }));
        await bed.pass(5_000);
      }
      if (minute % 10 !== 9) continue;
      const action = minute % 20 === 9 ? 'BUY' : 'SELL';
      bed.submit(signal(minute * MINUTE, 'chart_agent', 'BUY'), signal(minute * MINUTE, 'funding_agent', action));
      bed.runtime.drain();
      await saveCheckpoint(bed.store, { ...volatile(), durable: () => turns() }, bed.engine);
      checkpoints.push({ seq: bed.engine.lastSeq, entries: await bed.store.latestCheckpoint() });
    }
    const rows = await bed.rows();
    expect(new Set(rows.map(({ event }) => event.type))).toEqual(
      new Set([
        ...['price.tick', 'bar.opened', 'bar.closed', 'deadline.reached', 'inference.requested', 'inference.completed'],
        ...['signal.generated', 'consensus.opened', 'trade.consensus_approved', 'signal.consensus_failed'],
      ]),
    );
    for (const keep of [0, ...checkpoints.map(({ seq }) => seq)]) {
      const store = await withCheckpoint(rows, checkpoints.find(({ seq }) => seq === keep)?.entries);
      const { bed: again, unlogged } = await bed.restarted({ store });
      expect(unlogged).toEqual([]);
      expect(again.engine.host.states()).toEqual(bed.engine.host.states());
      expect(again.engine.snapshot()).toEqual({ ...bed.engine.snapshot(), ids: expect.any(Object) as never });
    }
  });
});

function idleVenue(): VenuePort {
  const nothing = (): never[] => [];
  return {
    name: 'test',
    openAccount: () => undefined,
    market: nothing,
    advanceTo: nothing,
    nextDueAt: () => null,
    submit: nothing,
    cancel: nothing,
    query: () => ({ known: false, venueTime: 0 }),
    reportsSince: nothing,
    marketCauses: () => ({}),
    books: () => {
      throw new Error('no books');
    },
  };
}

function volatile() {
  return {
    append: () => undefined,
    keepsStreams: true,
    durableSeq: 0,
    isFull: false,
    room: () => Promise.resolve(),
    backlog: 0,
    fatal: null,
  };
}

async function withCheckpoint(rows: readonly LogRow[], checkpoint: unknown): Promise<MemoryEventStore> {
  const store = new MemoryEventStore();
  await store.appendBatch(rows);
  const saved = checkpoint as { seq: number; entries: never[]; meta: Record<string, unknown> } | undefined;
  if (saved) await store.saveCheckpoint(saved.seq, saved.entries, saved.meta);
  return store;
}
