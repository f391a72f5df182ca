// A planted bug: whoever sends an order does not read the halts again. `npm run faults -- --only halt-in-flight --plant FILE`.
const { join } = require('node:path');
const inputs = require(join(__dirname, '../../../../dist/libs/kernel/src/venue-link/order-inputs.js'));

// Bound when the sender is loaded, which is later.
inputs.blockedBy = () => null;
