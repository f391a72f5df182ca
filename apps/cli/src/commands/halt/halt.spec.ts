import { CommandLine } from '../../testing/command-line';
import { FakePlatform } from '../../testing/platform';

describe('moon halt and moon lift', () => {
  const line = new CommandLine();
  let platform: FakePlatform;

  beforeAll(async () => {
    platform = await FakePlatform.start(line.dataDir);
  }, 60_000);
  beforeEach(async () => {
    platform = await platform.another();
    await platform.say('portfolio.opened', { portfolio: 'main' });
  });
  afterAll(async () => {
    await platform.stop();
    line.remove();
  });

  const operatorHalt = (reason: string) =>
    ({ source: 'operator', scope: 'portfolio', portfolio: 'main', reason }) as const;

  it('halts a portfolio, waits for the halt to be stored, and lifts it again', async () => {
    const halting = line.moon('halt', '--portfolio', 'main', '--reason', 'maintenance');
    const asked = await platform.take((command) =>
      platform.say('halt.raised', operatorHalt('maintenance'), { cause: command }),
    );
    expect(asked.data).toMatchObject({
      command: 'halt',
      arguments: { scope: 'portfolio', portfolio: 'main', reason: 'maintenance' },
    });
    expect(await halting).toMatchObject({
      code: 0,
      out: [expect.stringMatching(/^Portfolio main is halted: maintenance\. Taken by the running platform/)],
    });

    expect(await line.moon('halt', '--portfolio', 'main', '--reason', 'maintenance')).toMatchObject({
      code: 0,
      out: [expect.stringMatching(/already/)],
    });

    const lifting = line.moon('lift', '--portfolio', 'main');
    const lifted = await platform.take((command) =>
      platform.say('halt.lifted', operatorHalt('maintenance'), { cause: command }),
    );
    expect(lifted.data).toMatchObject({
      command: 'lift',
      arguments: { scope: 'portfolio', portfolio: 'main', reason: 'maintenance' },
    });
    expect(await lifting).toMatchObject({
      code: 0,
      out: [expect.stringMatching(/^Portfolio main: the halt "maintenance" is lifted\./)],
    });
  }, 30_000);

  it('halts all portfolios', async () => {
    const halting = line.json('halt', '--global', '--reason', 'venue down');
    const global = { source: 'operator', scope: 'global', reason: 'venue down', portfolio: undefined } as never;
    const asked = await platform.take((command) => platform.say('halt.raised', global, { cause: command }));
    expect(asked.data).toMatchObject({ arguments: { scope: 'global', reason: 'venue down' } });
    expect(await halting).toMatchObject({ command: 'halt', scope: 'global', requests: [{ eventId: asked.id }] });
  }, 30_000);

  it('fails when the request was taken and no halt followed', async () => {
    const halting = line.moon('halt', '--portfolio', 'main', '--reason', 'maintenance');
    await platform.take();
    expect(await halting).toMatchObject({
      code: 1,
      err: [expect.stringMatching(/No halt\.raised followed within 3 s/)],
    });
  }, 30_000);

  it('lifts no halt of another source, and names those that are in force', async () => {
    await platform.say('halt.raised', {
      source: 'risk:leverage',
      scope: 'portfolio',
      portfolio: 'main',
      reason: 'leverage',
    });
    const { code, err } = await line.moon('lift', '--portfolio', 'main');
    expect({ code, err }).toEqual({
      code: 1,
      err: [expect.stringMatching(/no operator's halt\. In force: risk:leverage\. Each source lifts its own\./)],
    });
    expect(await platform.requests.pending()).toEqual([]);
  });

  it.each([
    [['halt', '--reason', 'x'], /either --portfolio NAME or --global/],
    [['halt', '--portfolio', 'main', '--global', '--reason', 'x'], /either --portfolio NAME or --global/],
    [['halt', '--portfolio', 'main'], /Give --reason TEXT/],
    [['halt', '--portfolio', 'man', '--reason', 'x'], /Did you mean "main"/],
    [['halt', '--global', '--reason', ' '], /--reason must have/],
  ])('refuses %j', async (argv, message) => {
    const { code, err } = await line.moon(...argv);
    expect(code).toBe(2);
    expect(err.join('\n')).toMatch(message);
    expect(await platform.requests.pending()).toEqual([]);
  });

  it('refuses a run that nothing works on any more', async () => {
    const { run } = await platform.registry.openRun({ mode: 'recorded', fingerprint: '0123456789abcdef' });
    await platform.registry.finishRun(run.runId, {});
    expect(await line.moon('halt', '--global', '--reason', 'x', '--run', run.runId)).toMatchObject({
      code: 1,
      err: [expect.stringMatching(/has finished/)],
    });
    await platform.registry.openRun({ mode: 'imported' });
    expect(await line.moon('halt', '--global', '--reason', 'x', '--run', 'imported')).toMatchObject({
      code: 1,
      err: [expect.stringMatching(/imported log/)],
    });
  });
});
