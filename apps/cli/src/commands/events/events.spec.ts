import { CommandLine, until } from '../../testing/command-line';
import { FakePlatform, T0 } from '../../testing/platform';

const MINUTE = 60_000;

describe('moon events', () => {
  const line = new CommandLine();
  let platform: FakePlatform;

  beforeAll(async () => {
    platform = await FakePlatform.start(line.dataDir);
    for (let minute = 0; minute < 30; minute += 1) {
      const token = minute % 2 === 0 ? 'BTC' : 'ETH';
      await platform.say(
        'price.tick',
        { token, instrument: `${token}.HYPERLIQUID`, price: 100 + minute },
        { at: T0 + minute * MINUTE },
      );
    }
    const tick = await platform.say('price.tick', { token: 'BTC', price: 130 }, { at: T0 + 30 * MINUTE });
    await platform.say('signal.generated', { token: 'BTC' }, { cause: tick });
    await platform.say('portfolio.deposited', { portfolio: 'main' }, { at: T0 + 31 * MINUTE });
  }, 60_000);
  afterAll(async () => {
    await platform.stop();
    line.remove();
  });

  const shown = async (...argv: string[]): Promise<{ seq: number; type: string; data: { price?: number } }[]> => {
    const { out, code } = await line.moon('events', ...argv, '--json');
    expect(code).toBe(0);
    return out.map((text) => JSON.parse(text) as never);
  };
  const seqs = async (...argv: string[]): Promise<number[]> => (await shown(...argv)).map(({ seq }) => seq);

  it('shows the newest events in the order of time, each on a line that says what happened', async () => {
    const { code, out, err } = await line.moon('events', '--limit', '3');
    expect(code).toBe(0);
    expect(out).toHaveLength(3);
    expect(out[0]).toMatch(
      /^2024-01-01 00:30:00\.000 +31 {2}[0-9a-f]{8} {2}price\.tick +BTC +BTC\.HYPERLIQUID last 130 /,
    );
    expect(out[1]).toMatch(/signal\.generated +BTC +trading_agent BUY BTC score 78 confidence 0\.85/);
    expect(err).toEqual([expect.stringMatching(/^Run synthetic: 3 events\. There are older ones/)]);
  });

  it('filters by type, token, portfolio, time and correlation', async () => {
    expect(await seqs('--type', 'signal.generated', 'portfolio.deposited')).toEqual([32, 33]);
    expect(await seqs('--token', 'eth', '--limit', '2')).toEqual([28, 30]);
    expect(await seqs('--portfolio', 'main')).toEqual([33]);
    expect(await seqs('--from', '2024-01-01T00:05:00Z', '--to', '2024-01-01 00:07')).toEqual([6, 7]);
    expect(await seqs('--from', String(T0 + 31 * MINUTE))).toEqual([33]);
    const [signal] = (await shown('--type', 'signal.generated')) as unknown as { correlationId: string }[];
    expect(await seqs('--correlation', signal!.correlationId)).toEqual([31, 32]);
  });

  it('pages from an instant on by a cursor, without a gap or a repeat', async () => {
    const all: number[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < 10; page += 1) {
      const { out, err } = await line.moon(
        'events',
        '--from',
        '2024-01-01',
        '--limit',
        '8',
        '--json',
        ...(cursor === undefined ? [] : ['--after', cursor]),
      );
      all.push(...out.map((text) => (JSON.parse(text) as { seq: number }).seq));
      cursor = /--after (\S+)$/.exec(err.join())?.[1];
      if (cursor === undefined) break;
    }
    expect(all).toEqual(Array.from({ length: 33 }, (_, index) => index + 1));
  });

  it.each([
    [['--type', 'price.tik'], /Did you mean "price\.tick"/],
    [['--from', 'yesterday'], /--from "yesterday" is no instant/],
    [['--limit', '0'], /--limit "0"/],
    [['--correlation', 'abc'], /no whole id/],
    [['--tail', '--to', '2024-01-01'], /--tail/],
    [['--run', 'synthtic'], /Did you mean "synthetic"/],
  ])('tells what is wrong with %j', async (argv, message) => {
    const { code, err, out } = await line.moon('events', ...argv);
    expect({ code, out }).toEqual({ code: 2, out: [] });
    expect(err).toEqual([expect.stringMatching(message)]);
  });

  it('shows what a feed says without doing what it tells a terminal to do', async () => {
    await platform.say('market.sentiment', { text: 'moon \u001b[2J\u009b31m soon' }, { at: T0 + 35 * MINUTE });
    const { out } = await line.moon('events', '--type', 'market.sentiment');
    expect(out[0]).toContain('moon \ufffd[2J\ufffd31m soon');
  });

  it('refuses a cursor that is none', async () => {
    expect(await line.moon('events', '--after', 'x')).toMatchObject({
      code: 1,
      err: [expect.stringMatching(/no cursor/)],
    });
  });

  it('follows new events as they are stored, and only those that are wanted', async () => {
    const tail = line.start(['events', '--tail', '--type', 'risk.alert', 'portfolio.deposited', '--limit', '5']);
    await until(() => tail.said.out.length === 1);
    await platform.say('price.tick', {}, { at: T0 + 40 * MINUTE });
    await platform.say('risk.alert', { portfolio: 'main', message: 'Leverage is 4.' }, { at: T0 + 41 * MINUTE });
    await until(() => tail.said.out.length === 2);
    await platform.say('portfolio.deposited', { portfolio: 'main', amount: '7' }, { at: T0 + 42 * MINUTE });
    await until(() => tail.said.out.length === 3);
    tail.interrupt();
    expect(await tail.ended).toMatchObject({ code: 0 });
    expect(tail.said.out[1]).toMatch(/risk\.alert .*Leverage is 4\./);
    expect(tail.said.out[2]).toMatch(/portfolio\.deposited/);
  });
});

describe('moon events --tail', () => {
  it('waits for the platform, keeps out of its way, and goes on where it was after a restart', async () => {
    const line = new CommandLine();
    let platform = await FakePlatform.start(line.dataDir);
    await platform.say('portfolio.deposited', { amount: '1' });
    await platform.stop();

    const tail = line.start(['events', '--tail']);
    await until(() => tail.said.err.some((text) => text.startsWith('No platform is running')), 30_000);
    expect(tail.said.out).toHaveLength(1);

    platform = await FakePlatform.start(line.dataDir);
    await platform.say('portfolio.withdrawn', { amount: '2' });
    await until(() => tail.said.out.length === 2, 30_000);
    await platform.stop();
    await until(() => tail.said.err.filter((text) => text.startsWith('No platform is running')).length === 2, 30_000);

    tail.interrupt();
    expect(await tail.ended).toMatchObject({ code: 0 });
    expect(tail.said.out.map((text) => /portfolio\.\w+/.exec(text)?.[0])).toEqual([
      'portfolio.deposited',
      'portfolio.withdrawn',
    ]);
    line.remove();
  }, 90_000);
});
