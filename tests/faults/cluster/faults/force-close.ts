import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { inputId, type AnyEvent } from '@moon/events';
import type { VenuePosition } from '@moon/kernel';
import { portfolioNames } from '../settings';
import { pause, stackApi, waitFor } from '../root';
import type { Blow, Fault } from './fault';

const STORES = ['postgres-1', 'postgres-2'];
/** As execution names the folder. */
const KEPT = 'while-the-store-is-away';
const CLOSING_ORDERS = `SELECT FROM stream_events WHERE type = 'order.requested' AND data->>'portfolio' = $1
  AND data->>'instrument' = $2 AND data->>'origin' = 'force_close' AND position > $3`;
const LAST = 'SELECT coalesce(max(position), 0) AS last FROM stream_events';
const LOGGED_WITHIN_MS = 30_000;
const POSITION_WITHIN_MS = 90_000;
const CLOSED_WITHIN_MS = 60_000;
const ATTEMPTS = 3;
const SETTLED_WITHIN_MS = 30_000;
/** Books that are the same for so long are those that the shock is made for. */
const SETTLED_MS = 500;
/** How far from where isolated margin is used up the price is put: nearer than the critical bound, not yet a liquidation. */
const MARGIN_LEFT = 0.08;

interface Held extends VenuePosition {
  portfolio: string;
}

const isLong = ({ quantity }: VenuePosition): boolean => Number(quantity) > 0;

/** Where nothing is left of the margin that was put up for a position. */
function exhausted({ quantity, costBasis, margin }: VenuePosition): number {
  const units = Math.abs(Number(quantity));
  const [entry, room] = [Math.abs(Number(costBasis)) / units, Number(margin ?? 0) / units];
  return Number(quantity) > 0 ? entry - room : entry + room;
}

/** The position that a falling (or rising) price reaches first, of all portfolios: none else is liquidated by it. */
async function mostExposed({ rig }: Blow): Promise<Held | null> {
  const books = await Promise.all(portfolioNames().map((name) => rig.venue.books(name)));
  const all = books.flatMap(({ portfolio, positions }) => positions.map((position) => ({ ...position, portfolio })));
  const [first] = all;
  if (!first) return null;
  const alike = all.filter((one) => one.instrument === first.instrument && isLong(one) === isLong(first));
  return alike.reduce((a, b) => (isLong(first) === exhausted(b) > exhausted(a) ? b : a));
}

/**
 * The same once nothing changes it any more: without a store no order follows those that were under way when it died. Null when
 * those have closed everything.
 */
async function settledPosition(blow: Blow): Promise<Held | null> {
  const settled = await waitFor('The books of the venue stand still', SETTLED_WITHIN_MS, async () => {
    const before = await mostExposed(blow);
    await pause(SETTLED_MS);
    const after = await mostExposed(blow);
    return JSON.stringify(before) === JSON.stringify(after) ? { position: after } : null;
  });
  return settled.position;
}

/** What is held once the store is away, and where its log ended before. */
interface Endangered {
  position: Held;
  logEnd: string;
}

/** Kills both servers of the store while somebody holds something. */
async function positionWithoutStore(blow: Blow): Promise<Endangered> {
  const dir = blow.rig.stackDir;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    await stackApi.ready(dir);
    await waitFor('A portfolio holds something', POSITION_WITHIN_MS, () => mostExposed(blow));
    const logEnd = (await blow.rig.store.rows<{ last: string }>(LAST))?.[0]?.last;
    if (logEnd === undefined) throw new Error('The store does not say where its log ends.');
    await Promise.all(STORES.map((name) => stackApi.kill(name, { dir, keepDown: true })));
    const position = await settledPosition(blow);
    if (position !== null) return { position, logEnd };
    blow.rig.say('  the orders under way closed all positions: once more');
    await Promise.all(STORES.map((name) => stackApi.restart(name, { dir })));
  }
  throw new Error(`Whenever the store died, all positions were closed right after: ${ATTEMPTS} times.`);
}

/** The newest mark of the position's instrument, with a price at which it must be closed by force. */
function shock({ rig }: Blow, position: Held): AnyEvent {
  const newest = rig.load.recent.findLast(
    ({ type, data }) => type === 'price.tick' && data.instrument === position.instrument && data.kind === 'mark',
  );
  if (newest?.type !== 'price.tick') throw new Error(`No mark of ${position.instrument} was published lately.`);
  const price = Number((exhausted(position) * (1 + (isLong(position) ? MARGIN_LEFT : -MARGIN_LEFT))).toPrecision(6));
  const { timestamp, instrument = '' } = newest.data;
  const id = inputId({ source: 'shock', kind: 'price.tick/mark', instrument, venueTime: timestamp, values: [price] });
  return { ...newest, id, correlationId: id, data: { ...newest.data, price } };
}

/**
 * A position comes close to its liquidation while the store is away: it is closed all the same, from the local journal. Every
 * other time the processes that did it die before the store is back, and what they did must be in the log all the same.
 */
async function forceCloseWithoutStore(blow: Blow): Promise<void> {
  const { rig, random } = blow;
  const dir = rig.stackDir;
  await stackApi.ready(dir);
  const executions = rig.apps.filter(({ name }) => name.startsWith('execution-'));
  const alsoKills = random() < 0.5;
  let endangered: Endangered;
  try {
    endangered = await positionWithoutStore(blow);
    const { position } = endangered;
    await rig.load.publish(shock(blow, position));
    const { portfolio, instrument } = position;
    await waitFor(`${portfolio} is flat in ${instrument} while the store is away`, CLOSED_WITHIN_MS, async () => {
      const { positions } = await rig.venue.books(portfolio);
      return positions.some((one) => one.instrument === instrument) ? null : true;
    });
    const kept = readdirSync(join(rig.folder, 'data', KEPT));
    if (kept.length === 0)
      throw new Error(`${portfolio} is flat in ${instrument}, and no order was kept on this machine.`);
    rig.say(`  closed ${position.quantity} ${instrument} of ${portfolio}${alsoKills ? '; its owners are killed' : ''}`);
    if (alsoKills) await Promise.all(executions.map((one) => one.kill()));
    else await pause(1_000);
  } finally {
    await Promise.all(STORES.map((name) => stackApi.restart(name, { dir })));
    await stackApi.ready(dir);
    blow.healed();
  }
  await Promise.all(executions.map((one) => one.ready()));
  await waitFor('The log has the order that closed the position', LOGGED_WITHIN_MS, async () => {
    const { position, logEnd } = endangered;
    const values = [position.portfolio, position.instrument, logEnd];
    return ((await rig.store.rows(CLOSING_ORDERS, values)) ?? []).length > 0 ? true : null;
  });
}

export const forceCloseFaults: readonly Fault[] = [
  {
    name: 'force-close-without-store',
    about:
      'a position comes close to liquidation while both PostgreSQL servers are away; half the time its owner is killed too',
    repeats: 10,
    run: forceCloseWithoutStore,
  },
];
