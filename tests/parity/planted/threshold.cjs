// A planted difference: a score that only meets the threshold is approved, as if `>` had been written `>=`.
const { plant } = require('../plant.cjs');
plant('libs/domain/src/consensus/exact-sign.js', ({ exactSign }) => ({
  exactSign: (terms) => (exactSign(terms) === 0 ? 1 : exactSign(terms)),
}));
