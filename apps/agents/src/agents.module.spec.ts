import { Test } from '@nestjs/testing';
import { RunningClock } from '@moon/kernel';
import { AgentsModule, FEED_FACTORIES, type FeedFactories } from './agents.module';

describe('AgentsModule', () => {
  it('gives factories of both feeds, which price the same instruments by default', async () => {
    const module = await Test.createTestingModule({ imports: [AgentsModule] }).compile();
    const feeds = module.get<FeedFactories>(FEED_FACTORIES);
    const clock = new RunningClock();
    const [live, made] = [feeds.hyperliquid({ clock }), feeds.synthetic({ clock })];
    expect([live.mode, made.mode]).toEqual(['live', 'synthetic']);
    expect(made.instruments()).toEqual(live.instruments());
    expect([live.status().state, made.status().state]).toEqual(['idle', 'idle']);
    await module.close();
  });
});
