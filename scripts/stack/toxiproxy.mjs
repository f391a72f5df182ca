// Toxiproxy: a proxy per server, so that a fault test can delay, cut or swallow what a client and a server say.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOST, PROXY_OFFSET, portOf, proxied } from './layout.mjs';
import { until } from './sweep.mjs';

export function prepareToxiproxy({ tools, nodes, options }) {
  const folder = join(nodes, 'toxiproxy');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'proxies.json');
  const proxies = proxied(options).map(({ name, port }) => ({
    name,
    listen: `${HOST}:${port + PROXY_OFFSET}`,
    upstream: `${HOST}:${port}`,
    enabled: true,
  }));
  // Read again at every start: after a crash the proxies are back, without their toxics.
  writeFileSync(file, JSON.stringify(proxies, null, 2));
  const port = String(portOf(options.basePort, 'toxiproxy'));
  return {
    name: 'toxiproxy',
    command: tools.toxiproxy,
    args: ['-host', HOST, '-port', port, '-config', file],
    cwd: folder,
  };
}

export async function toxiproxyReady({ options, stopped }) {
  const wanted = proxied(options).length;
  const url = `http://${HOST}:${portOf(options.basePort, 'toxiproxy')}/proxies`;
  const ready = await until(async () => {
    if (stopped()) return true;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(1_000) });
      return response.ok && Object.keys(await response.json()).length === wanted;
    } catch {
      return false;
    }
  }, 20_000);
  if (!ready) throw new Error(`Toxiproxy does not serve its ${wanted} proxies at ${url}.`);
}
