import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { HostAndPort } from '../postgres/login';

/** A way to a server, which freezes. */
export interface FreezingServer extends HostAndPort {
  /** Now, for every connection. */
  freeze(): void;
  isFrozen(): boolean;
  /** Resolves when no client has a connection open any more. */
  deserted(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Answers as the server behind it does, until it is frozen or somebody sends this text: from then on no connection is answered or
 * ended, as behind a server that was stopped or a machine that is gone.
 */
export async function freezingServer({ host, port }: HostAndPort, text: string): Promise<FreezingServer> {
  let isFrozen = false;
  const sockets: Socket[] = [];
  let clients = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const behind = connect(port, host);
    sockets.push(socket, behind);
    clients += 1;
    for (const one of [socket, behind]) one.on('error', () => undefined);
    socket.on('data', (data) => {
      isFrozen ||= data.includes(text);
      if (!isFrozen) behind.write(data);
    });
    behind.on('data', (data) => !isFrozen && socket.write(data));
    behind.on('close', () => !isFrozen && socket.destroy());
    socket.on('end', () => {
      // What is frozen does not say goodbye.
      if (!isFrozen) socket.end();
      clients -= 1;
      behind.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    freeze: () => (isFrozen = true),
    isFrozen: () => isFrozen,
    deserted: async () => {
      while (clients > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
