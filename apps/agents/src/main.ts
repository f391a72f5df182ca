import 'reflect-metadata';
import {
  chosen,
  FeedPart,
  groupOf,
  plainSpec,
  runClusterApp,
  type ClusterConfig,
  type Part,
  type PartContext,
} from '@moon/cluster';
import { groupPlans, type GroupPlan } from '@moon/kernel';
import { chooseFeed } from './feeds/choose-feed';

const FEED = { name: 'feed' };

/** Normalisers and every agent but the risk agent, which lives with execution (rule 21). */
const plansOf = (plans: readonly GroupPlan[]): GroupPlan[] =>
  plans.filter(({ name }) => name === 'normalisers' || name.startsWith('agent.'));

/** What this process hosts of them, and the feed. */
function parts(context: PartContext): Part[] {
  const { connections, codeVersion } = context;
  const { config, logger, clock } = connections;
  const plans = plansOf(connections.plans);
  const hosted = chosen([...plans, FEED], config.only);
  const groups = plans
    .filter((plan) => hosted.includes(plan))
    .map((plan) => groupOf(context, plan, (index) => plainSpec({ plan, connections, codeVersion }, index)));
  if (!hosted.includes(FEED)) return groups;
  const feed = new FeedPart({
    context,
    open: async (newest) => {
      const onNotice = (message: string): void => logger.warn(message);
      const options = { ...config.feed, pace: config.clock.pace, clock, onNotice };
      return (await chooseFeed(options)).resumeAfter(newest).feed;
    },
  });
  return [...groups, feed];
}

const hosts = ({ platform }: ClusterConfig): { name: string }[] => [...plansOf(groupPlans(platform)), FEED];

void runClusterApp({ name: 'agents', hosts, parts }, process.argv.slice(2), process.env).then((code) => {
  process.exitCode = code;
  setTimeout(() => process.exit(code), 3_000).unref();
});
