import 'reflect-metadata';
import { RecorderPart, relayPart, runClusterApp, type Part, type PartContext } from '@moon/cluster';

/** What the broker carries goes to the store, and what was appended to streams to the broker. */
function parts(context: PartContext): Part[] {
  return [relayPart(context), new RecorderPart(context)];
}

void runClusterApp({ name: 'recorder', parts }, process.argv.slice(2), process.env).then((code) => {
  process.exitCode = code;
  setTimeout(() => process.exit(code), 3_000).unref();
});
