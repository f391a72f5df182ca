import { Test } from '@nestjs/testing';
import { AgentsModule, FeedFactory } from './agents.module';

describe('AgentsModule', () => {
  it('gives the factory of feeds to whoever imports it; both feeds price the same instruments', async () => {
    const module = await Test.createTestingModule({ imports: [AgentsModule] }).compile();
    const feeds = module.get(FeedFactory);
    const options = { tokens: ['BTC', 'SOL'], seed: 1, pace: 60 };
    const live = await feeds.choose({ ...options, kind: 'hyperliquid' });
    const made = await feeds.choose({ ...options, kind: 'synthetic' });
    expect([live.mode, made.mode]).toEqual(['live', 'synthetic']);
    expect(made.feed.instruments()).toEqual(live.feed.instruments());
    expect([live.feed.status().state, made.feed.status().state]).toEqual(['idle', 'idle']);
    await module.close();
  });
});
