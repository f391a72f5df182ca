import { Module } from '@nestjs/common';
import { chooseFeed } from './feeds/choose-feed';

export type { ChosenFeed } from './feeds/choose-feed';
export type { HyperliquidFeedConfig } from './feeds/hyperliquid';

/** Makes the feed that a run is to have, or the one that can be had. */
export abstract class FeedFactory {
  abstract choose(...options: Parameters<typeof chooseFeed>): ReturnType<typeof chooseFeed>;
}

/** What the agents' application gives to a process that hosts it: its feeds. */
@Module({
  providers: [{ provide: FeedFactory, useValue: { choose: chooseFeed } }],
  exports: [FeedFactory],
})
export class AgentsModule {}
