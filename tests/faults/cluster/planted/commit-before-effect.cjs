// A planted bug: what a shard emits counts as published before it is. `npm run faults -- --only agents-kill --plant FILE`.
const { join } = require('node:path');
const { ShardLog } = require(join(__dirname, '../../../../dist/libs/kernel/src/runtime/sharded/shard-log.js'));

const LATE_MS = 3_000;
const publish = ShardLog.prototype.publish;
ShardLog.prototype.publish = function (events, toSeq) {
  this.published = Math.max(this.published, toSeq);
  setTimeout(() => publish.call(this, events, toSeq), LATE_MS);
};
