import 'reflect-metadata';
import { chosen, executionSpec, groupOf, plainSpec, runClusterApp, type Part, type PartContext } from '@moon/cluster';
import { RemotePaperVenue } from './venues/paper/remote-paper-venue';

/** Consensus, and the portfolios with their risk, force close and way to the venue. */
function parts(context: PartContext): Part[] {
  const { connections, codeVersion, onFatal } = context;
  const { config, plans } = connections;
  const [host = '127.0.0.1', port = ''] = config.venue.address.split(':');
  const venue = new RemotePaperVenue({ host, port: Number(port) });
  const own = plans.filter(({ name }) => name === 'consensus' || name === 'execution');
  return chosen(own, config.only).map((plan) => {
    const spec = { plan, connections, codeVersion };
    return groupOf(context, plan, (index, ownsKey) =>
      plan.effects === 'venue' ? executionSpec(spec, index, { venue, ownsKey, onFatal }) : plainSpec(spec, index),
    );
  });
}

void runClusterApp({ name: 'execution', parts }, process.argv.slice(2), process.env).then((code) => {
  process.exitCode = code;
  setTimeout(() => process.exit(code), 3_000).unref();
});
