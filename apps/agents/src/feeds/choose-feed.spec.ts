import { META } from './testing/samples';
import { recordingSink } from './testing/sink';
import { StubVenue } from './testing/stub-venue';
import { chooseFeed, type ChooseFeedOptions } from './choose-feed';

const ASKED: ChooseFeedOptions = { kind: 'auto', tokens: ['BTC', 'ETH'], seed: 7, pace: 60 };

describe('chooseFeed', () => {
  let venue: StubVenue;
  beforeEach(async () => void (venue = await StubVenue.open()));
  afterEach(() => venue.close());

  it('takes HyperLiquid, in real time, when its host answers', async () => {
    venue.answers.meta = () => META;
    const notices: string[] = [];
    const chosen = await chooseFeed({
      ...ASKED,
      hyperliquid: venue.urls,
      onNotice: (message) => notices.push(message),
    });
    expect(chosen).toMatchObject({ mode: 'live', feed: { name: 'hyperliquid' } });
    expect(chosen.feed.instruments()).toEqual(['BTC.HYPERLIQUID', 'ETH.HYPERLIQUID']);
    expect(notices).toEqual([chosen.message]);
    expect(chosen.message).toContain(venue.urls.restUrl);
    expect(Math.abs(chosen.clock.now() - Date.now())).toBeLessThan(1_000);
    expect(chosen.resumeAfter([])).toBe(chosen);
  });

  it('takes the synthetic feed, and says why, when the host is too slow, talks nonsense, or fails', async () => {
    venue.answers.meta = () => new Promise((resolve) => setTimeout(() => resolve(META), 300));
    const slow = await chooseFeed({ ...ASKED, hyperliquid: venue.urls, probeMs: 50 });
    venue.answers.meta = () => '<html>Please log in to the network</html>';
    const portal = await chooseFeed({ ...ASKED, hyperliquid: venue.urls });
    delete venue.answers.meta;
    const broken = await chooseFeed({ ...ASKED, hyperliquid: venue.urls });
    for (const { mode, message } of [slow, portal, broken]) {
      expect(mode).toBe('synthetic');
      expect(message).toMatch(/SYNTHETIC: made up, no real market/);
    }
    expect(slow.message).toMatch(/none within 50 ms/);
    expect(portal.message).toMatch(/no JSON/);
    expect(broken.message).toMatch(/status 422/);
  });

  it('takes the synthetic feed when nobody is there', async () => {
    const gone = await StubVenue.open();
    const { urls } = gone;
    await gone.close();
    const chosen = await chooseFeed({ ...ASKED, hyperliquid: urls });
    expect(chosen.mode).toBe('synthetic');
    expect(chosen.message).toMatch(/ECONNREFUSED/);
  });

  it('asks nobody when the feed is named', async () => {
    expect((await chooseFeed({ ...ASKED, kind: 'hyperliquid', hyperliquid: venue.urls })).mode).toBe('live');
    expect((await chooseFeed({ ...ASKED, kind: 'synthetic', hyperliquid: venue.urls })).mode).toBe('synthetic');
    expect(venue.asked).toEqual([]);
  });

  it('lets synthetic time stand still until the feed is started, then run at its pace', async () => {
    const { feed, clock } = await chooseFeed({ ...ASKED, kind: 'synthetic' });
    const before = clock.now();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(clock.now()).toBe(before);
    await feed.start(recordingSink());
    const [startedAt, wallAt] = [clock.now(), Date.now()];
    await new Promise((resolve) => setTimeout(resolve, 200));
    const [ranMs, wallMs] = [clock.now() - startedAt, Date.now() - wallAt];
    await feed.stop();
    expect(Math.abs(ranMs - 60 * wallMs)).toBeLessThan(60 * 20);
  });

  it('lets a synthetic run go on where its log ends', async () => {
    const sink = recordingSink();
    const first = await chooseFeed({ ...ASKED, kind: 'synthetic' });
    await first.feed.start(sink);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await first.feed.stop();
    const ticks = sink.events.filter(({ type }) => type === 'price.tick');
    const next = first.resumeAfter(ticks);
    expect(next.clock.now()).toBe(ticks[ticks.length - 1]?.occurredAt);
    expect(await next.feed.warmup(next.clock.now())).toEqual([]);
  });

  it('refuses tokens that it cannot price', async () => {
    await expect(chooseFeed({ ...ASKED, kind: 'synthetic', tokens: ['WIF'] })).rejects.toThrow(
      /no market for "WIF.HYPERLIQUID"/,
    );
    await expect(chooseFeed({ ...ASKED, kind: 'hyperliquid', tokens: ['@107'] })).rejects.toThrow(
      /\/coins\/0 is "@107"/,
    );
  });
});
