import 'reflect-metadata';
import {
  ProjectionsPart,
  RecorderPart,
  relayPart,
  retentionPart,
  runClusterApp,
  type Part,
  type PartContext,
} from '@moon/cluster';

/** What the broker carries goes to the store and the cache, and what was appended to streams to the broker. */
function parts(context: PartContext): Part[] {
  const { cache } = context.connections.config;
  return [
    relayPart(context),
    new RecorderPart(context),
    retentionPart(context),
    ...(cache === 'redis' ? [new ProjectionsPart(context)] : []),
  ];
}

void runClusterApp({ name: 'recorder', parts }, process.argv.slice(2), process.env).then((code) => {
  process.exitCode = code;
  setTimeout(() => process.exit(code), 3_000).unref();
});
