// A planted bug: nothing tells what comes twice. `npm run faults -- --only duplicates --plant FILE`.
const { join } = require('node:path');
const kernel = join(__dirname, '../../../../dist/libs/kernel/src');
const { Positions } = require(join(kernel, 'runtime/sharded/message-buffer.js'));
const { RecentIds } = require(join(kernel, 'core/recent-ids.js'));

const advance = Positions.prototype.advance;
Positions.prototype.advance = function (partition, next) {
  advance.call(this, partition, next);
  return true;
};
RecentIds.prototype.has = () => false;
