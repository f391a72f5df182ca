import 'reflect-metadata';
import { OverviewSource, runClusterApp, WatchPart, type PartContext } from '@moon/cluster';
import { ClusterModule } from './cluster.module';

/** Hosts no group: it says how the deployment is, and is READY as long as brokers and store answer. */
const app = {
  name: 'api',
  parts: (context: PartContext) => [new WatchPart(context)],
  modules: ({ connections }: PartContext) => [ClusterModule.with(new OverviewSource(connections))],
} as const;

void runClusterApp(app, process.argv.slice(2), process.env).then((code) => {
  process.exitCode = code;
  setTimeout(() => process.exit(code), 3_000).unref();
});
