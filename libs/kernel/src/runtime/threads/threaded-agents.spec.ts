import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventId, type AnyEvent } from '@moon/events';
import { VolatileLog } from '../../log/log-writer';
import { Engine } from '../../core/engine';
import { AgentsBed, planted, until, type AgentsBedOptions } from '../../testing/agents-bed';

const CALM = { name: 'agent/calm' };
const LOWEST = 19;
const isLinux = process.platform === 'linux';
const ticks = (count: number, from = 1): number[] => Array.from({ length: count }, (_, index) => 1_000 + from + index);
/** What an agent says that hears these ticks from its beginning and skips none. */
const expected = (prices: readonly number[]): string[] => prices.map((price, index) => `tick ${index + 1} at ${price}`);

describe('ThreadedAgents', () => {
  const beds: AgentsBed[] = [];
  const open = async (options: AgentsBedOptions): Promise<AgentsBed> => {
    const bed = await AgentsBed.open(options);
    beds.push(bed);
    return bed;
  };
  const reopen = async (bed: AgentsBed, more: Partial<AgentsBedOptions> = {}): Promise<AgentsBed> => {
    await bed.crash();
    const again = await bed.restarted(more);
    beds.push(again);
    return again;
  };
  afterEach(async () => {
    await Promise.all(beds.splice(0).map((bed) => bed.crash()));
  });

  it('gives events to agents of another thread and takes what they emit, in the order of the log', async () => {
    const bed = await open({ modules: [planted(CALM)] });
    expect(await bed.agents.ready()).toEqual(['agent/calm']);
    const prices = ticks(500);
    bed.feed(prices);
    await until(() => bed.agents.idle(1_000));
    expect(await bed.said('agent/calm')).toEqual(expected(prices));
    const rows = await bed.rows();
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
  });

  it('[AGT-1] agents hear what they subscribed to without blocking the feed, emit with the tick’s correlation id, and count what they do', async () => {
    const bed = await open({ modules: [planted(CALM, { name: 'agent/throws', throwsAt: 1_002 })] });
    await bed.agents.ready();
    const prices = ticks(40);
    bed.feed(prices);
    // The feed is through before the agents have said a word.
    expect(await bed.of('price.tick')).toHaveLength(prices.length);
    expect(await bed.said('agent/calm')).toEqual([]);
    await until(() => bed.agents.idle(1_000));
    const heard = await bed.of('price.tick');
    const said = (await bed.of('signal.generated')).filter(({ source }) => source === 'agent/calm');
    expect(said.map(({ causationId }) => causationId)).toEqual(heard.map(({ id }) => id));
    expect(said.map(({ correlationId }) => correlationId)).toEqual(heard.map(({ correlationId }) => correlationId));
    const metrics = new Map(bed.agents.metrics().map((one) => [one.agent, one]));
    expect(metrics.get('agent/calm')).toMatchObject({ handled: 40, emitted: 40, failed: 0, lagMs: 0, queued: 0 });
    expect(metrics.get('agent/throws')).toMatchObject({ handled: 40, failed: 1 });
    expect(metrics.get('agent/calm')?.busyMs).toBeGreaterThan(0);
  });

  it('[SYS-5] [AGT-6] an agent that is busy for 200 ms a tick delays no other; it is reported as lagging', async () => {
    const bed = await open({
      modules: [planted(CALM), planted({ name: 'agent/busy', busyMs: 200 })],
      settings: { laggingMs: 300 },
    });
    await bed.agents.ready();
    const prices = ticks(200);
    bed.feed(prices);
    await until(async () => (await bed.said('agent/calm')).length === prices.length);
    expect((await bed.said('agent/busy')).length).toBeLessThan(prices.length / 2);
    const busy = async () => (await bed.of('agent.lagging')).filter(({ data }) => data.agent === 'agent/busy');
    await until(async () => (await busy()).length > 0);
    const [lagging] = await busy();
    expect(lagging?.data.lagMs).toBeGreaterThan(300);
    const lagOf = (agent: string) => bed.agents.lags().find((lag) => lag.agent === agent);
    await until(() => lagOf('agent/calm')?.queued === 0);
    const lags = new Map(bed.agents.lags().map((lag) => [lag.agent, lag]));
    expect(lags.get('agent/busy')?.queued).toBeGreaterThan(100);
    expect(lags.get('agent/busy')?.lagMs).toBeGreaterThan(300);
  });

  it('[SYS-5] a user’s agent and an offender give way to every other thread (ADR 0026)', async () => {
    const bed = await open({
      modules: [
        planted(CALM, { name: 'agent/hangs', hangsAt: 1_002 }),
        { ...planted({ name: 'agent/user' }), givesWay: true },
      ],
      settings: { timeoutMs: 1_000, maxAttempts: 1 },
    });
    await bed.agents.ready();
    expect(priorities().filter((nice) => nice === LOWEST)).toHaveLength(isLinux ? 1 : 0);
    bed.feed(ticks(3));
    await until(async () => (await bed.said('agent/hangs')).length === 2);
    expect(bed.agents.layout()).toHaveLength(3);
    expect(priorities().filter((nice) => nice === LOWEST)).toHaveLength(isLinux ? 2 : 0);
  });

  it('[AGT-2] an agent that does not return: warning, agent.timeout, its lag is seen, and it gets the event again', async () => {
    const flag = join(mkdtempSync(join(tmpdir(), 'moon-agents-')), 'tried');
    const bed = await open({
      modules: [planted(CALM, { name: 'agent/hangs', hangsAt: 1_003, hangsUnless: flag })],
      settings: { timeoutMs: 1_000, laggingMs: 200 },
    });
    await bed.agents.ready();
    const prices = ticks(6);
    bed.feed(prices);
    await until(() => bed.agents.lags().some(({ lagMs }) => lagMs > 200));
    await until(async () => (await bed.said('agent/hangs')).length === prices.length);
    expect(await bed.said('agent/hangs')).toEqual(expected(prices));
    const [timeout, ...more] = await bed.of('agent.timeout');
    const third = (await bed.of('price.tick'))[2];
    expect(timeout?.data).toMatchObject({ agent: 'agent/hangs', eventId: third?.id });
    expect(timeout?.data.elapsedMs).toBeGreaterThan(1_000);
    expect(more).toEqual([]);
    expect(bed.problems).toContain('agent timed out');
    expect((await bed.of('agent.lagging')).length).toBeGreaterThan(0);
  });

  it('isolates an agent that times out: those that shared its thread go on in another one, with nothing lost or doubled (rule 31)', async () => {
    const bed = await open({
      modules: [planted(CALM, { name: 'agent/hangs', hangsAt: 1_003 }, { name: 'agent/other' })],
      settings: { timeoutMs: 800, maxAttempts: 1 },
    });
    await bed.agents.ready();
    const prices = ticks(100);
    bed.feed(prices);
    await until(async () => (await bed.said('agent/hangs')).length === prices.length - 1);
    await until(() => bed.agents.idle(1_000));
    expect(bed.agents.layout().map((names) => [...names].sort())).toEqual(
      expect.arrayContaining([['agent/hangs'], ['agent/calm', 'agent/other']]),
    );
    for (const agent of ['agent/calm', 'agent/other']) expect(await bed.said(agent)).toEqual(expected(prices));
  });

  it('after repeated time-outs the event is a dead letter, and the agent goes on with the next one (rule 31)', async () => {
    const bed = await open({
      modules: [planted({ name: 'agent/hangs', hangsAt: 1_002 })],
      settings: { timeoutMs: 600, maxAttempts: 3 },
    });
    await bed.agents.ready();
    bed.feed(ticks(4));
    await until(async () => (await bed.said('agent/hangs')).length === 3);
    const skipped = await bed.of('event.skipped');
    const second = (await bed.rows()).filter(({ event }) => event.type === 'price.tick')[1];
    expect(skipped.map(({ data }) => data)).toEqual([
      expect.objectContaining({
        handler: 'agent/hangs',
        handlerKey: 'BTC',
        skippedEventId: second?.event.id,
        skippedSeq: second?.seq,
        reason: 'timeout',
      }),
    ]);
    expect(await bed.of('agent.timeout')).toHaveLength(3);
    // The skipped tick is not in the state: only three were handled.
    expect(await bed.said('agent/hangs')).toEqual(['tick 1 at 1001', 'tick 2 at 1003', 'tick 3 at 1004']);
  });

  it('[AGT-3] an agent that throws: agent.error and a dead letter, and its next event is handled', async () => {
    const bed = await open({ modules: [planted(CALM, { name: 'agent/throws', throwsAt: 1_002 })] });
    await bed.agents.ready();
    bed.feed(ticks(3));
    await until(() => bed.agents.idle(1_000));
    expect(await bed.said('agent/throws')).toEqual(['tick 1 at 1001', 'tick 2 at 1003']);
    expect(await bed.said('agent/calm')).toEqual(expected(ticks(3)));
    const second = (await bed.of('price.tick'))[1];
    const [error] = await bed.of('agent.error');
    expect(error?.causationId).toBe(second?.id);
    expect(error?.data).toMatchObject({ agent: 'agent/throws', eventId: second?.id, failedType: 'price.tick' });
    expect(error?.data.error).toContain('I cannot stand 1002.');
    expect((await bed.of('event.skipped')).map(({ data }) => [data.handler, data.skippedEventId])).toEqual([
      ['agent/throws', second?.id],
    ]);
  });

  it.each([
    ['thrown', { throwsAt: 1_002 }],
    ['timed out', { hangsAt: 1_002 }],
  ])(
    '[AGT-3] a dead letter (%s) that is replayed after the fix reaches its agent, also after yet another restart',
    async (_, fault) => {
      const settings = { timeoutMs: 1_000, maxAttempts: 1 };
      const broken = await open({ modules: [planted({ name: 'agent/poor', ...fault })], settings });
      broken.feed(ticks(3));
      await until(async () => (await broken.said('agent/poor')).length === 2);
      const fixed = await reopen(broken, { modules: [planted({ name: 'agent/poor' })] });
      await until(() => fixed.agents.idle(1_000));
      expect(await fixed.said('agent/poor')).toHaveLength(2);
      await replay(fixed);
      await until(async () => (await fixed.said('agent/poor')).length === 3);
      expect(await fixed.said('agent/poor')).toEqual(['tick 1 at 1001', 'tick 2 at 1003', 'tick 3 at 1002']);
      const again = await reopen(fixed);
      again.feed([1_004]);
      await until(async () => (await again.said('agent/poor')).length === 4);
      expect((await again.said('agent/poor'))[3]).toBe('tick 4 at 1004');
    },
  );

  it('a dead letter that fails again when it is replayed is one again, with an id of its own', async () => {
    const bed = await open({ modules: [planted({ name: 'agent/poor', throwsAt: 1_002 })] });
    bed.feed(ticks(3));
    await until(async () => (await bed.of('event.skipped')).length === 1);
    await replay(bed);
    await until(async () => (await bed.of('event.skipped')).length === 2);
    const skips = await bed.of('event.skipped');
    expect(new Set(skips.map(({ id }) => id)).size).toBe(2);
    expect(new Set(skips.map(({ data }) => data.skippedEventId)).size).toBe(1);
    const again = await reopen(bed);
    await until(() => again.agents.idle(1_000));
    expect(await again.of('event.skipped')).toHaveLength(2);
  });

  it('a thread that dies is started again from where its agents were last known; nothing is lost or doubled', async () => {
    const bed = await open({
      modules: [planted(CALM, { name: 'agent/dies', diesAt: 1_150 })],
      settings: { maxAttempts: 2 },
    });
    await bed.agents.ready();
    const prices = ticks(300);
    bed.feed(prices.slice(0, 100));
    await until(() => bed.agents.idle(1_000));
    await bed.checkpoint();
    bed.feed(prices.slice(100));
    await until(async () => (await bed.said('agent/dies')).length === prices.length - 1);
    await until(() => bed.agents.idle(1_000));
    expect(await bed.said('agent/calm')).toEqual(expected(prices));
    expect((await bed.of('event.skipped')).map(({ data }) => [data.handler, data.reason])).toEqual([
      ['agent/dies', 'error'],
    ]);
    expect(bed.problems).toContain('agent thread died');
  });

  it('an agent that falls far behind catches up from the stored log: its queue is bounded', async () => {
    const slow = { name: 'agent/slow', busyMs: 2 };
    const bed = await open({ modules: [planted(slow)], settings: { limits: { inFlight: 8, queued: 20 } } });
    await bed.agents.ready();
    const prices = ticks(400);
    for (let from = 0; from < prices.length; from += 25) {
      bed.feed(prices.slice(from, from + 25));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await until(async () => (await bed.said('agent/slow')).length === prices.length);
    expect(await bed.said('agent/slow')).toEqual(expected(prices));
    expect(await bed.agents.idle(1_000)).toBe(true);
  });

  it('a checkpoint does not wait for an agent that is behind: it starts again from where it was, and says nothing twice', async () => {
    const modules = [planted(CALM), planted({ name: 'agent/slow', busyMs: 20 })];
    const bed = await open({ modules });
    await bed.agents.ready();
    const prices = ticks(100);
    bed.feed(prices);
    await until(async () => (await bed.said('agent/slow')).length > 10);
    const seq = await bed.checkpoint(0);
    await until(async () => (await bed.said('agent/slow')).length > 20);
    const cut = await bed.checkpoint(1_000);
    expect(cut).toBeGreaterThan(seq);
    const again = await reopen(bed);
    await until(async () => (await again.said('agent/slow')).length === prices.length);
    for (const agent of ['agent/calm', 'agent/slow']) expect(await again.said(agent)).toEqual(expected(prices));
  });

  it('handled again on one thread, the log of several gives the same states and no other event (rule 1)', async () => {
    const agents = [CALM, { name: 'agent/throws', throwsAt: 1_050 }, { name: 'agent/hangs', hangsAt: 1_020 }];
    const bed = await open({ modules: [planted(...agents)], settings: { timeoutMs: 1_000, maxAttempts: 1 } });
    bed.feed(ticks(80));
    await until(async () => (await bed.said('agent/hangs')).length === 79);
    await until(() => bed.agents.idle(1_000));
    await bed.checkpoint();
    const { createAgents } = jest.requireActual<{ createAgents: (config: unknown) => [] }>(
      '../../../../../tests/fixtures/agents/planted.js',
    );
    const alone = await AgentsBed.alone(
      bed,
      new Engine({ handlers: createAgents({ agents }), log: new VolatileLog() }),
    );
    expect(alone.unlogged).toEqual([]);
    const ownStates = alone.engine.host.states().map(({ handler, key, state }) => ({ handler, key, state }));
    const threaded = bed.agents.cut().states.map(({ handler, key, state }) => ({ handler, key, state }));
    const byName = (a: { handler: string }, b: { handler: string }): number => a.handler.localeCompare(b.handler);
    expect(threaded.sort(byName)).toEqual(ownStates.sort(byName));
  });

  it('a module that cannot be loaded fails the start and says which and why', async () => {
    const bed = await open({ modules: [{ path: join(__dirname, 'no-such-agents.js'), config: {} }] });
    await expect(bed.agents.ready()).rejects.toThrow('no-such-agents.js');
  });
});

/** The nice values of this process's threads; none where threads have none of their own. */
function priorities(): number[] {
  if (!isLinux) return [];
  return readdirSync('/proc/self/task').map((id) => {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
}

/** An operator's replay of the only dead letter. */
async function replay(bed: AgentsBed): Promise<void> {
  const [skip] = await bed.of('event.skipped');
  const original = (await bed.rows()).find(({ event }) => event.id === skip?.data.skippedEventId);
  if (!skip || !original) throw new Error('There is no dead letter.');
  bed.engine.provideOriginal(original.event);
  const { handler, handlerKey, timestamp } = skip.data;
  const id = eventId('test-replay', original.event.id);
  const record = {
    handler,
    handlerKey,
    replayedEventId: original.event.id,
    replayedSeq: original.seq,
    requestedBy: 'ops',
    timestamp,
  };
  bed.submit({
    ...{ id, type: 'event.replayed', schemaVersion: 1, source: 'operator', key: handlerKey, occurredAt: timestamp },
    ...{ correlationId: id, causationId: null, data: { event_type: 'event.replayed', ...record } },
  } as AnyEvent);
}
