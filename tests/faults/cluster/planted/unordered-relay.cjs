// A planted bug: the relay publishes what it reads in the opposite order. `npm run faults -- --only recorder-kill --plant FILE`.
const { join } = require('node:path');
const { StreamRelay } = require(join(__dirname, '../../../../dist/libs/infra/src/postgres/cluster/relay.js'));

const start = StreamRelay.prototype.start;
StreamRelay.prototype.start = function () {
  const publish = this.publish;
  this.publish = (rows) => publish([...rows].reverse());
  start.call(this);
};
