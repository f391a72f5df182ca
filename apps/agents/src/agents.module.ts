import { Module } from '@nestjs/common';
import type { Feed } from '@moon/kernel';
import { chooseFeed } from './feeds/choose-feed';
import { HyperliquidFeed, type HyperliquidFeedOptions } from './feeds/hyperliquid';
import { SyntheticFeed, type SyntheticFeedOptions } from './feeds/synthetic';

export { chooseFeed, type ChooseFeedOptions, type FeedChoice, type FeedKind } from './feeds/choose-feed';
export { hyperliquidFeedConfigSchema, type HyperliquidFeedConfig } from './feeds/hyperliquid';
export { syntheticFeedConfigSchema, syntheticResume, type SyntheticFeedConfig, type SyntheticResume } from './feeds/synthetic';

/** Makes the feeds of the platform. */
export interface FeedFactories {
  choose: typeof chooseFeed;
  hyperliquid(options: Omit<HyperliquidFeedOptions, 'random'>): Feed;
  synthetic(options: SyntheticFeedOptions): Feed;
}

/** Token under which `AgentsModule` gives the `FeedFactories`. */
export const FEED_FACTORIES = Symbol('FEED_FACTORIES');

const feedFactories: FeedFactories = {
  choose: chooseFeed,
  hyperliquid: (options) => new HyperliquidFeed({ ...options, random: Math.random }),
  synthetic: (options) => new SyntheticFeed(options),
};

/** What the agents' app gives to a process that hosts it: the feeds. */
@Module({
  providers: [{ provide: FEED_FACTORIES, useValue: feedFactories }],
  exports: [FEED_FACTORIES],
})
export class AgentsModule {}
