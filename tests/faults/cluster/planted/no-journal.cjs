// A planted bug: a shard's journal leaves out what came from the broker. `npm run faults -- --only agents-kill --plant FILE`.
const { join } = require('node:path');
const { ShardJournals } = require(join(__dirname, '../../../../dist/libs/infra/src/postgres/cluster/shard-journal.js'));

const open = ShardJournals.prototype.open;
ShardJournals.prototype.open = function (shard) {
  const journal = open.call(this, shard);
  const append = journal.append.bind(journal);
  journal.append = (batch, rows) =>
    append({ ...batch, entries: batch.entries.filter(({ kind }) => kind !== 'messages') }, rows);
  return journal;
};
