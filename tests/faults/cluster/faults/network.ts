import { pause } from '../root';
import { between, type Blow, type Fault } from './fault';

interface Toxic {
  type: string;
  stream: 'upstream' | 'downstream';
  attributes: Record<string, number>;
  /** Share of the connections that it meets. */
  toxicity?: number;
}

async function api({ rig }: Blow, method: string, path: string, body?: object): Promise<void> {
  const { toxiproxy } = rig.addresses;
  if (!toxiproxy) throw new Error('This rig has no Toxiproxy.');
  const request = { method, ...(body && { body: JSON.stringify(body) }), signal: AbortSignal.timeout(5_000) };
  const answer = await fetch(`${toxiproxy.api}${path}`, request);
  if (!answer.ok) throw new Error(`Toxiproxy, ${method} ${path}: ${answer.status} ${await answer.text()}`);
}

/** Lays toxics on all ways to the servers of a kind, for some seconds. */
async function poison(blow: Blow, toxics: readonly Toxic[], kinds = /^(kafka|postgres)-/): Promise<void> {
  const proxies = (blow.rig.addresses.toxiproxy?.proxies ?? []).filter((name) => kinds.test(name));
  const laid: string[] = [];
  try {
    for (const proxy of proxies) {
      for (const [index, toxic] of toxics.entries()) {
        await api(blow, 'POST', `/proxies/${proxy}/toxics`, { name: `fault-${index}`, ...toxic });
        laid.push(`/proxies/${proxy}/toxics/fault-${index}`);
      }
    }
    await pause(between(blow.random, 6_000, 10_000));
  } finally {
    for (const path of laid) await api(blow, 'DELETE', path);
  }
  blow.healed();
}

const both = (toxic: Omit<Toxic, 'stream'>): Toxic[] => [
  { ...toxic, stream: 'upstream' },
  { ...toxic, stream: 'downstream' },
];
/** Nothing passes any more, and nobody is told: the connection stays open. */
const SILENCE = { type: 'timeout', attributes: { timeout: 0 } };

const fault = (name: string, about: string, run: (blow: Blow) => Promise<void>): Fault => ({
  ...{ name, about, run },
  repeats: 20,
  needs: 'proxy',
});

export const networkFaults: readonly Fault[] = [
  fault('network-latency', '200 ms more on every way for 6 to 10 s', (blow) =>
    poison(blow, both({ type: 'latency', attributes: { latency: 100, jitter: 20 } })),
  ),
  fault('network-loss', 'a third of the connections to the brokers and the store are reset', (blow) =>
    poison(blow, [{ type: 'reset_peer', stream: 'downstream', attributes: { timeout: 200 }, toxicity: 0.33 }]),
  ),
  fault('network-cut-one-way', 'requests to the servers arrive, their answers do not, for 6 to 10 s', (blow) =>
    poison(blow, [{ ...SILENCE, stream: 'downstream' }]),
  ),
  fault('network-half-open', 'connections to the brokers stay open and carry nothing, for 6 to 10 s', (blow) =>
    poison(blow, both(SILENCE), /^kafka-/),
  ),
  fault('network-store-cut', 'connections to the store stay open and carry nothing, for 6 to 10 s', (blow) =>
    poison(blow, both(SILENCE), /^postgres-/),
  ),
];
