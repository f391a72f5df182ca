// A planted bug: orders leave before they are stored. The kill test must find it.
const { join } = require('node:path');
const dist = join(__dirname, '..', '..', '..', 'dist');
const { LogWriter } = require(join(dist, 'libs/kernel/src/log/log-writer.js'));
const { PostgresEventStore } = require(join(dist, 'libs/infra/src/postgres/event-store.js'));

LogWriter.prototype.durable = () => Promise.resolve();
const append = PostgresEventStore.prototype.appendBatch;
PostgresEventStore.prototype.appendBatch = async function (rows) {
  await new Promise((resolve) => setTimeout(resolve, 150));
  return append.call(this, rows);
};
process.argv[1] = join(dist, 'apps/standalone/src/main.js');
require(process.argv[1]);
