// A planted bug: an order of unknown outcome is sent again as another one. `npm run faults -- --only venue-kill --plant FILE`.
const { randomBytes } = require('node:crypto');
const { join } = require('node:path');
const { Connection } = require(join(__dirname, '../../../../dist/apps/execution/src/venues/paper/connection.js'));
const { paperSigner } = require(join(__dirname, '../../../../dist/libs/backtesting/src/index.js'));
const { canonicalJson } = require(join(__dirname, '../../../../dist/libs/kernel/src/index.js'));

/** One in so many orders is sent twice, as if the first answer had been lost. */
const EVERY = 5;
let sent = 0;
let lastNonce = 0;
const call = Connection.prototype.call;
Connection.prototype.call = async function (method, params) {
  const answer = await call.call(this, method, params);
  sent += method === 'submit' ? 1 : 0;
  if (method !== 'submit' || sent % EVERY !== 0) return answer;
  const [order] = params;
  const clientOrderId = `0x${randomBytes(16).toString('hex')}`;
  lastNonce = Math.max(lastNonce, order.nonce) + 1;
  const payload = canonicalJson({ ...JSON.parse(order.payload), clientOrderId, nonce: lastNonce });
  const signature = paperSigner.sign(order.portfolio, payload);
  await call
    .call(this, 'submit', [{ ...order, clientOrderId, nonce: lastNonce, payload, signature }])
    .catch(() => undefined);
  return answer;
};
