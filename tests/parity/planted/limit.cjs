// A planted difference: every limit bites a hundredth too early.
const { plant } = require('../plant.cjs');
plant('libs/domain/src/risk/limit.js', ({ above }) => ({ above: (value, bound) => above(value, bound * 0.99) }));
