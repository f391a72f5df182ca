// A planted bug: after a restart an order is sent again under a new client order id, because the first was not kept.
const { randomBytes } = require('node:crypto');
const { join } = require('node:path');
const dist = join(__dirname, '..', '..', '..', 'dist');
const path = join(dist, 'libs/kernel/src/venue-link/order-effects.js');
const { canonicalJson } = require(join(dist, 'libs/kernel/src/core/canonical-json.js'));
const original = require(path);

function forgetful(adapter, options) {
  if (adapter.name !== 'order-sender') return adapter;
  const perform = async (request, context) => {
    if (!context.recovering || request.type !== 'order.submitted') return adapter.perform(request, context);
    const clientOrderId = `0x${randomBytes(16).toString('hex')}`;
    const nonce = options.nextNonce();
    const { data } = request;
    const payload = canonicalJson({ ...JSON.parse(data.payload), clientOrderId, nonce });
    const signature = options.sign(data.portfolio, payload);
    const reports = await options.link.venue.submit({
      ...data,
      orderId: data.order_id,
      clientOrderId,
      nonce,
      payload,
      signature,
    });
    return (await options.link.take(reports)).map((event) => ({ event, availableAt: context.now }));
  };
  return Object.create(adapter, { perform: { value: perform } });
}

require.cache[path].exports = {
  ...original,
  orderEffects: (options) => original.orderEffects(options).map((adapter) => forgetful(adapter, options)),
};
process.argv[1] = join(dist, 'apps/standalone/src/main.js');
require(process.argv[1]);
