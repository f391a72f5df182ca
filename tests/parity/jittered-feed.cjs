// The standalone platform with a feed whose events arrive late, each by its own while: so they overtake each other.
const { join } = require('node:path');
const dist = join(__dirname, '..', '..', 'dist');
const { SyntheticFeed } = require(join(dist, 'apps/agents/src/feeds/synthetic/feed.js'));

/** Longest delay, wall ms: at the pace of the test several seconds of the market. */
const JITTER_MS = 40;
const start = SyntheticFeed.prototype.start;
SyntheticFeed.prototype.start = function (sink) {
  let isOpen = true;
  const submit = (event) => {
    setTimeout(() => (isOpen &&= sink.submit(event)), Math.random() * JITTER_MS);
    return isOpen;
  };
  return start.call(this, { ...sink, submit });
};
process.argv[1] = join(dist, 'apps/standalone/src/main.js');
require(process.argv[1]);
