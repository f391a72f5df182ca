import { ManualClock } from '../testing/manual-clock';
import { SyntheticFeed } from './feed';
it('speed', async () => {
  for (let i = 0; i < 2; i++) {
  const clock = new ManualClock(1763900000000);
  const feed = new SyntheticFeed({ config: { seed: 1 }, clock });
  let t = Date.now();
  const past = await feed.warmup(clock.now());
  console.log('warm', Date.now() - t, past.length);
  t = Date.now();
  let n = 0;
  await feed.start({ submit: () => ++n > 0, refused: () => undefined });
  for (let m = 0; m < 120; m++) clock.advance(60000);
  console.log('live', Date.now() - t, n);
  }
});
