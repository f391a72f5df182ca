import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RemotePaperVenue } from '@moon/app-execution';
import type { VenueBooks } from '@moon/kernel';
import { lehmer, writeCandles } from '../support/market';
import { Child, lastJson } from '../support/processes';

/** How long a kill waits for an acceptance: start-up, recovery and a few orders, wall ms. */
const ACCEPTANCE_WITHIN_MS = 30_000;

const PLATFORM = 'apps/standalone/src/main.js';
const VENUE = 'apps/execution/src/venues/paper/main.js';

/** What matters of a run's last line. */
interface RunLine {
  stateHash: string;
  venueDifferences: string[];
  events: number;
  orders: number;
  fills: number;
  eventsByType: Record<string, number>;
  portfolios: Array<{ name: string; cash: string; positions: Array<{ instrument: string; quantity: string }> }>;
}

export interface KillPlan {
  seed: number;
  kills: number;
  /** Share of the kills that fall between the venue's acceptance and its answer. */
  inAnswer: number;
  minutes: number;
  /** Starts the platform; default: as it is. A planted bug is a script that spoils it first. */
  platform?: string;
}

export interface KillOutcome {
  reference: RunLine;
  disturbed: RunLine;
  /** The venue's own books at the end of each run. */
  referenceBooks: VenueBooks;
  disturbedBooks: VenueBooks;
  kills: { random: number; inAnswer: number };
}

/** One minute bars with hourly trends and one crash: several hundred orders, and a force close. */
function prepare(plan: KillPlan): { folder: string; candles: string; settings: string; venueConfig: string } {
  const folder = mkdtempSync(join(tmpdir(), 'moon-kill-'));
  const candles = join(folder, 'candles.csv');
  const start = Date.UTC(2024, 0, 1);
  writeCandles(candles, {
    seed: plan.seed,
    minutes: plan.minutes,
    start,
    symbols: [{ symbol: 'BTCUSDT', price: 40_000 }],
    crashAt: Math.floor(plan.minutes * 0.6),
    crashShare: 0.25,
  });
  const settings = join(folder, 'settings.json');
  const portfolio = {
    name: 'main',
    marginMode: 'isolated',
    deposit: '100000',
    instruments: [{ instrument: 'BTC.HYPERLIQUID', leverage: 3 }],
    positions: [{ instrument: 'BTC.HYPERLIQUID', side: 'long', quantity: '1', price: '40000' }],
    // Wide, so that orders go on to the end.
    limits: { drawdown_total: 0.99, drawdown_day: 0.99 },
  };
  const consensus = { minimumAgents: 1, threshold: 55, cooldownMs: 0 };
  const opening = { minScore: 55, minConfidence: 0.3, minIntervalMs: 60_000 };
  writeFileSync(
    settings,
    JSON.stringify({
      checkpointMs: 1_000,
      platform: { portfolios: [portfolio], consensus, agents: { trading: { opening }, chart: { opening } } },
    }),
  );
  const venueConfig = join(folder, 'venue.json');
  const latency = { order: { minMs: 20, maxMs: 80 }, ack: { minMs: 10, maxMs: 40 } };
  writeFileSync(venueConfig, JSON.stringify({ priceSources: { 'BTC.HYPERLIQUID': 'BTCUSDT.BINANCE-SPOT' }, latency }));
  return { folder, candles, settings, venueConfig };
}

class Rig {
  private venue: Child | null = null;
  private port = 0;

  constructor(
    private readonly files: ReturnType<typeof prepare>,
    private readonly name: string,
    private readonly script: string,
  ) {
    mkdirSync(join(files.folder, name));
  }

  async startVenue(args: readonly string[]): Promise<void> {
    const books = join(this.files.folder, this.name, 'venue');
    this.venue = new Child(VENUE, ['--data-dir', books, '--config', this.files.venueConfig, ...args]);
    this.port = (
      JSON.parse(await this.venue.line((line) => line.includes('listening'))) as { listening: number }
    ).listening;
  }

  startPlatform(): Child {
    const { candles, settings, folder } = this.files;
    const venue = ['--set', 'venue.where=process', '--set', `venue.address=127.0.0.1:${this.port}`];
    const run = ['--feed', 'recorded', '--from', candles, '--speed', 'max', '--exit', '--json', '--port', '0'];
    return new Child(this.script, [
      ...run,
      '--config',
      settings,
      '--data-dir',
      join(folder, this.name, 'data'),
      ...venue,
    ]);
  }

  /** Resolves at the venue's next acceptance, before it answers. */
  accepted(): Promise<string> {
    if (!this.venue) throw new Error('The venue is not running.');
    return this.venue.line((line) => line.includes('"accepted"'));
  }

  async books(): Promise<VenueBooks> {
    const client = new RemotePaperVenue({ port: this.port });
    try {
      return await client.books('main');
    } finally {
      await client.close();
    }
  }

  async stopVenue(): Promise<void> {
    this.venue?.kill('SIGTERM');
    await this.venue?.ended;
  }
}

async function finish(platform: Child): Promise<RunLine> {
  const ended = await platform.ended;
  if (ended.code !== 0)
    throw new Error(`The platform ended with ${ended.code ?? ended.signal}:\n${ended.stderr.slice(-3_000)}`);
  return lastJson<RunLine>(ended);
}

/**
 * Runs the same recorded inputs twice against a venue process of its own: once undisturbed, once with the platform killed
 * again and again while the venue lives on; part of the kills fall between the venue's acceptance and its answer.
 */
export async function runWithKills(plan: KillPlan): Promise<KillOutcome> {
  const files = prepare(plan);
  const quiet = new Rig(files, 'reference', PLATFORM);
  const rig = new Rig(files, 'disturbed', plan.platform ?? PLATFORM);
  const kills = { random: 0, inAnswer: 0 };
  try {
    await quiet.startVenue([]);
    const reference = await finish(quiet.startPlatform());
    const referenceBooks = await quiet.books();
    await rig.startVenue(['--answer-delay-ms', '30']);
    const random = lehmer(plan.seed + 1);
    let platform = rig.startPlatform();
    while (kills.random + kills.inAnswer < plan.kills && platform.isRunning) {
      const isInAnswer = random() < plan.inAnswer && (await isAccepted(rig, platform));
      if (!isInAnswer) await untilSomeMoment(platform, random());
      if (!platform.isRunning) break;
      platform.kill('SIGKILL');
      await platform.ended;
      kills[isInAnswer ? 'inAnswer' : 'random'] += 1;
      platform = rig.startPlatform();
    }
    const disturbed = await finish(platform);
    return { reference, disturbed, referenceBooks, disturbedBooks: await rig.books(), kills };
  } finally {
    await quiet.stopVenue();
    await rig.stopVenue();
    rmSync(files.folder, { recursive: true, force: true });
  }
}

/** Waits for the venue to accept an order, before it has answered; false when none is accepted for a while. */
async function isAccepted(rig: Rig, platform: Child): Promise<boolean> {
  const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), ACCEPTANCE_WITHIN_MS).unref());
  return Promise.race([rig.accepted().then(() => true), platform.ended.then(() => false), late]);
}

/** Somewhere in start-up, recovery or the run; `share` from 0 to 1 chooses where. */
async function untilSomeMoment(platform: Child, share: number): Promise<void> {
  const ready = new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (!platform.stderr.includes('READY') && platform.isRunning) return;
      clearInterval(timer);
      resolve();
    }, 5);
  });
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  if (share < 0.15) await Promise.race([ready, pause(share * 10_000)]);
  else {
    await ready;
    await Promise.race([platform.ended, pause((share - 0.15) * 600)]);
  }
}

/** A venue's books without what depends on attempts: report numbers and the venue's clock. */
function comparable({ cash, realisedPnl, fees, funding, positions }: VenueBooks): unknown {
  return { cash, realisedPnl, fees, funding, positions };
}

/** The killed run ended as the undisturbed one: same orders and fills, portfolio = the venue's books, same state hash. */
export function expectUndisturbed({ reference, disturbed, referenceBooks, disturbedBooks }: KillOutcome): void {
  expect(disturbed.orders).toBe(reference.orders);
  expect(disturbed.fills).toBe(reference.fills);
  expect(comparable(disturbedBooks)).toEqual(comparable(referenceBooks));
  const [portfolio] = disturbed.portfolios;
  expect(portfolio?.cash).toBe(disturbedBooks.cash);
  expect(portfolio?.positions.map(({ quantity }) => quantity)).toEqual(
    disturbedBooks.positions.map(({ quantity }) => quantity),
  );
  expect(disturbed.venueDifferences).toEqual([]);
  expect(disturbed.stateHash).toBe(reference.stateHash);
}
