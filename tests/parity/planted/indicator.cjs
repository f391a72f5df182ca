// A planted difference: every simple moving average is one bar longer.
const { plant } = require('../plant.cjs');
plant('libs/domain/src/indicators/sma.js', ({ createSma }) => ({ createSma: (period) => createSma(period + 1) }));
