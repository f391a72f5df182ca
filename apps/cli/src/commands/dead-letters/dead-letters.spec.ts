import type { AnyEvent } from '@moon/events';
import { OperatorInbox } from '@moon/infra';
import { CommandLine } from '../../testing/command-line';
import { FakePlatform } from '../../testing/platform';

interface Listed {
  letters: { kind: string; handler: string; handlerKey: string; eventId: string }[];
}

describe('moon dead-letters', () => {
  const line = new CommandLine();
  let platform: FakePlatform;
  let tick: AnyEvent;
  let fill: AnyEvent;

  beforeAll(async () => {
    platform = await FakePlatform.start(line.dataDir);
  }, 60_000);
  beforeEach(async () => {
    platform = await platform.another();
    tick = await platform.say('price.tick', { price: 666 });
    fill = await platform.say('venue.report', { portfolio: 'main', kind: 'filled' });
    await skip('agent/chart');
    await platform.say(
      'key.parked',
      { handler: 'execution', handlerKey: 'main', eventId: fill.id, seq: 2, error: 'RangeError: over-fill' },
      { cause: fill },
    );
  });
  afterAll(async () => {
    await platform.stop();
    line.remove();
  });

  const where = (handler: string) => ({ handler, handlerKey: 'BTC' });
  const skip = (handler: string): Promise<AnyEvent> =>
    platform.say(
      'event.skipped',
      { ...where(handler), skippedEventId: tick.id, skippedSeq: 1, reason: 'error', error: 'TypeError: I stumbled' },
      { cause: tick },
    );
  const replayed = (handler: string): Promise<AnyEvent> =>
    platform.say('event.replayed', {
      ...where(handler),
      replayedEventId: tick.id,
      replayedSeq: 1,
      requestedBy: 'operator',
    });
  const listed = async (): Promise<string[]> =>
    (await line.json<Listed>('dead-letters', 'list')).letters.map(
      ({ kind, handler, handlerKey }) => `${kind} ${handler}/${handlerKey}`,
    );

  it('lists skipped events and parked keys, with the error of each', async () => {
    const { code, out, err } = await line.moon('dead-letters');
    expect(code).toBe(0);
    expect(out[1]).toMatch(
      new RegExp(`^${fill.id.slice(0, 8)} +parked +execution +main .* error: RangeError: over-fill$`),
    );
    expect(out[2]).toMatch(
      new RegExp(`^${tick.id.slice(0, 8)} +skipped +agent/chart +BTC .* error: TypeError: I stumbled$`),
    );
    expect(err).toEqual([expect.stringMatching(/: 2 events waiting for an operator\.$/)]);
  });

  it('shows the event itself, by the first digits of its id', async () => {
    const { out } = await line.moon('dead-letters', 'show', tick.id.slice(0, 8));
    expect(out[0]).toMatch(/^agent\/chart\/BTC gave it up at /);
    expect(out[1]).toBe('error  TypeError: I stumbled');
    expect(out[2]).toMatch(/price\.tick .*BTC\.HYPERLIQUID last 666/);
    expect(JSON.parse(out[3]!)).toMatchObject({ id: tick.id, data: { price: 666 } });
  });

  it('has a dead letter delivered again, and says when the handler took it', async () => {
    const command = line.moon('dead-letters', 'replay', tick.id);
    const asked = await platform.take(() => replayed('agent/chart'));
    expect(asked.data).toMatchObject({
      command: 'replay_dead_letter',
      arguments: { handler: 'agent/chart', handlerKey: 'BTC', eventId: tick.id },
    });
    const { code, out } = await command;
    expect({ code, out }).toEqual({
      code: 0,
      out: [
        expect.stringMatching(
          /^agent\/chart\/BTC was given [0-9a-f]{8} again and did not fail\. Taken by the running platform/,
        ),
      ],
    });
    expect(await listed()).toEqual(['parked execution/main']);
  }, 30_000);

  it('says so when the handler fails again', async () => {
    const command = line.moon('dead-letters', 'replay', tick.id);
    await platform.take(() => replayed('agent/chart'));
    await skip('agent/chart');
    const { code, err } = await command;
    expect({ code, err }).toEqual({
      code: 1,
      err: [expect.stringMatching(/failed at it again: see "moon dead-letters show/)],
    });
  }, 30_000);

  it('lets a parked key go on', async () => {
    const command = line.moon('dead-letters', 'replay', fill.id.slice(0, 10));
    const asked = await platform.take(() =>
      platform.say('key.unparked', { handler: 'execution', handlerKey: 'main', eventId: fill.id, seq: 2 }),
    );
    expect(asked.data).toMatchObject({
      arguments: { handler: 'execution', handlerKey: 'main', eventId: fill.id, parked: true },
    });
    expect(await command).toMatchObject({ code: 0, out: [expect.stringMatching(/^execution\/main goes on\./)] });
    expect(await listed()).toEqual(['skipped agent/chart/BTC']);
  }, 30_000);

  it('asks which handler is meant when several gave the event up', async () => {
    await skip('agent/trading');
    const { code, err } = await line.moon('dead-letters', 'show', tick.id);
    expect({ code, err }).toEqual({
      code: 2,
      err: [expect.stringMatching(/fits 2 dead letters: agent\/chart .*agent\/trading .*--handler NAME/)],
    });
    const one = await line.moon('dead-letters', 'show', tick.id, '--handler', 'agent/trading');
    expect(one.out[0]).toMatch(/^agent\/trading\/BTC/);
    expect(await line.moon('dead-letters', 'show', tick.id, '--handler', 'agent/tradin')).toMatchObject({
      code: 2,
      err: [expect.stringMatching(/Did you mean "agent\/trading"/)],
    });
    expect(await line.moon('dead-letters', 'show', 'ffff')).toMatchObject({ code: 2 });
  });

  it('stores the request when no platform is running, and says when it will be taken', async () => {
    const { runId } = platform.run;
    await platform.stop();
    const { code, out } = await line.moon('dead-letters', 'replay', tick.id);
    expect({ code, out }).toEqual({
      code: 0,
      out: [
        expect.stringMatching(
          /^No platform is running on .* will be taken when run recorded-\w+-1 is started the next time\.$/,
        ),
      ],
    });
    platform = await FakePlatform.start(line.dataDir);
    const run = await platform.registry.findRun(runId);
    const requests = new OperatorInbox(platform.access.app, run!.database);
    expect(await requests.pending()).toEqual([expect.objectContaining({ command: 'replay_dead_letter' })]);
    await requests.close();
  }, 30_000);

  it('fails after 10 s when the running platform takes nothing', async () => {
    const startedAt = performance.now();
    const { code, err } = await line.moon('dead-letters', 'replay', tick.id);
    expect(performance.now() - startedAt).toBeGreaterThan(9_900);
    expect({ code, err }).toEqual({
      code: 1,
      err: [expect.stringMatching(/did not take it within 10 s; it may be at work on another run/)],
    });
  }, 30_000);
});
