// A planted bug: what was done while the store was away is forgotten. `npm run faults -- --only force-close-without-store --plant FILE`.
const { join } = require('node:path');
const { LocalJournalFile } = require(
  join(__dirname, '../../../../dist/libs/infra/src/postgres/cluster/local-journal.js'),
);

LocalJournalFile.prototype.read = () => Promise.resolve(null);
