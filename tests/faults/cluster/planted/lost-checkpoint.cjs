// A planted bug: checkpoints keep positions without the states. `npm run faults -- --only all-apps-kill --plant FILE`.
const { join } = require('node:path');
const { ShardJournals } = require(join(__dirname, '../../../../dist/libs/infra/src/postgres/cluster/shard-journal.js'));

const open = ShardJournals.prototype.open;
ShardJournals.prototype.open = function (shard) {
  const journal = open.call(this, shard);
  const save = journal.saveCheckpoint.bind(journal);
  journal.saveCheckpoint = (checkpoint) => save({ ...checkpoint, states: '[]' });
  return journal;
};
