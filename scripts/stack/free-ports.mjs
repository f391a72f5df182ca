// Which ports of 127.0.0.1 can be listened on.
import { createServer } from 'node:net';
import { HOST, ports } from './layout.mjs';

const isFree = (port) =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => resolve(true)));
  });

/** Ports of the stack that something else holds, each with what was to listen there. */
export async function takenPorts(options) {
  const all = await Promise.all(
    [...ports(options)].map(async ([name, port]) => ({ name, port, free: await isFree(port) })),
  );
  return all.filter(({ free }) => !free);
}

/** A base port whose whole block is free, below the range that the system hands out by itself. */
export async function freeBasePort(options) {
  const blocks = Array.from({ length: 14 }, (_, index) => 16_000 + index * 1_000).filter((port) => port !== 19_000);
  // Two that look at the same moment should not both choose the first.
  const turn = process.pid % blocks.length;
  for (const basePort of [...blocks.slice(turn), ...blocks.slice(0, turn)])
    if ((await takenPorts({ ...options, basePort })).length === 0) return basePort;
  throw new Error('No block of free ports between 16000 and 30000; name one with --base-port.');
}
