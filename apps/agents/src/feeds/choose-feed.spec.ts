import { META } from './testing/samples';
import { StubVenue } from './testing/stub-venue';
import { chooseFeed } from './choose-feed';

describe('chooseFeed', () => {
  it('takes HyperLiquid when its host answers', async () => {
    const venue = await StubVenue.open();
    venue.answers.meta = () => META;
    const choice = await chooseFeed('auto', venue.urls);
    expect(choice.kind).toBe('hyperliquid');
    expect(choice.message).toContain(venue.urls.restUrl);
    await venue.close();
  });

  it('takes the synthetic feed, and says why, when the host is not there, is too slow, or talks nonsense', async () => {
    const venue = await StubVenue.open();
    const { restUrl } = venue.urls;
    venue.answers.meta = () => new Promise((resolve) => setTimeout(() => resolve(META), 500));
    const slow = await chooseFeed('auto', { restUrl, timeoutMs: 50 });
    venue.answers.meta = () => '<html>Please log in to the network</html>';
    const portal = await chooseFeed('auto', { restUrl });
    delete venue.answers.meta;
    const broken = await chooseFeed('auto', { restUrl });
    await venue.close();
    const gone = await chooseFeed('auto', { restUrl });
    for (const choice of [slow, portal, broken, gone]) {
      expect(choice.kind).toBe('synthetic');
      expect(choice.message).toMatch(/SYNTHETIC: made up, no real market/);
    }
    expect(slow.message).toMatch(/none within 50 ms/);
    expect(portal.message).toMatch(/no JSON/);
    expect(broken.message).toMatch(/status 422/);
    expect(gone.message).toMatch(/ECONNREFUSED/);
  });

  it('asks nobody when the feed is named', async () => {
    const venue = await StubVenue.open();
    expect((await chooseFeed('hyperliquid', venue.urls)).kind).toBe('hyperliquid');
    expect((await chooseFeed('synthetic', venue.urls)).kind).toBe('synthetic');
    expect(venue.asked).toEqual([]);
    await venue.close();
  });
});
