// A planted difference: every limit bites at half of its bound, which some order of a short run surely meets.
const { plant } = require('../plant.cjs');
plant('libs/domain/src/risk/limit.js', ({ above }) => ({ above: (value, bound) => above(value, bound * 0.5) }));
