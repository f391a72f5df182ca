import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pause, waitFor } from '../root';
import { program } from '../supervised';
import type { Blow, Fault } from './fault';

const run = promisify(execFile);

const REASON = 'the venue is away';
/** Orders that would open, whose bytes are stored and may not leave any more. */
const ENOUGH = 3;
const DECIDED_WITHIN_MS = 60_000;
/** Longer than the pause after which a silent venue is asked again, and than its way back. */
const TEMPTED_MS = 5_000;

interface Waiting {
  order_id: string;
  portfolio: string;
}

/** The command that an operator gives, from the outside. */
async function ask({ rig }: Blow, command: 'halt' | 'lift'): Promise<void> {
  const settings = ['--cluster', '--config', join(rig.folder, 'settings.json'), '--wait', '60'];
  await run(process.execPath, [program('apps/cli/src/main.js'), command, '--global', '--reason', REASON, ...settings]);
}

async function lastPosition({ rig }: Blow): Promise<string> {
  const rows = await rig.store.rows<{ last: string }>('SELECT coalesce(max(position), 0) AS last FROM stream_events');
  return rows?.[0]?.last ?? '0';
}

/** Opening orders whose bytes were stored after a position of the log. */
async function storedAfter({ rig }: Blow, position: string): Promise<Waiting[]> {
  const sql = `SELECT data->>'order_id' AS order_id, data->>'portfolio' AS portfolio FROM stream_events
    WHERE type = 'order.submitted' AND position > $1 AND NOT ((data->>'payload')::jsonb->>'reduceOnly')::boolean`;
  return (await rig.store.rows<Waiting>(sql, [position])) ?? [];
}

/** Those of the orders that the venue took. */
async function taken({ rig }: Blow, orders: readonly Waiting[]): Promise<string[]> {
  const wanted = new Set(orders.map(({ order_id }) => order_id));
  const portfolios = [...new Set(orders.map(({ portfolio }) => portfolio))];
  const reports = await Promise.all(portfolios.map((portfolio) => rig.venue.reportsSince(portfolio, 0)));
  return reports
    .flat()
    .filter(({ kind, order_id }) => kind === 'accepted' && order_id !== undefined && wanted.has(order_id))
    .map(({ order_id }) => String(order_id));
}

/**
 * No order of these can have reached the venue before the halt: it was away when their bytes were stored, and until the halt
 * stood in every shard. Any that it takes before the halt is lifted was sent past the halt (rule 18).
 */
async function haltInFlight(blow: Blow): Promise<void> {
  const { rig } = blow;
  const venue = rig.process('venue');
  await venue.kill(true);
  let halted: Waiting[];
  try {
    const position = await lastPosition(blow);
    await waitFor('Orders wait for a venue that is away', DECIDED_WITHIN_MS, async () =>
      (await storedAfter(blow, position)).length >= ENOUGH ? true : null,
    );
    await ask(blow, 'halt');
    halted = await storedAfter(blow, position);
  } finally {
    blow.next();
    venue.start();
  }
  let sent: string[];
  try {
    await venue.ready();
    await pause(TEMPTED_MS);
    sent = await taken(blow, halted);
  } finally {
    await ask(blow, 'lift');
  }
  if (sent.length > 0) throw new Error(`sent past a halt that stood in every shard: orders ${sent.join(', ')}.`);
}

export const haltFaults: readonly Fault[] = [
  {
    name: 'halt-in-flight',
    about: 'trading is halted while orders with stored bytes wait for a venue that is away, which then comes back',
    repeats: 10,
    run: haltInFlight,
  },
];
