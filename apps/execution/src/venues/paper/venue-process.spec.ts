import { spawn, type ChildProcess, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { signPaperOrder, type PartialVenueConfig } from '@moon/backtesting';
import { VenueTimeout, VenueUnreachable, type AccountSpec } from '@moon/kernel';
import { describeVenue } from '../../../../../libs/kernel/src/contracts/venue.contract';
import { SPOT } from '../../../../../libs/kernel/src/testing/venue-bed';
import { orderDesk, T0, tick } from '../../../../../libs/kernel/src/testing/venue-desk';
import { RemotePaperVenue } from './remote-paper-venue';

const ROOT = resolve(__dirname, '../../../../..');
const MAIN = join(ROOT, 'dist/apps/execution/src/venues/paper/main.js');
const KEY = 'key-of-the-tests';
const sign = (payload: string) => signPaperOrder(payload, KEY);

const ACCOUNT: AccountSpec = {
  portfolio: 'main',
  accountModel: 'cash',
  settlementAsset: 'USDT',
  deposit: '100000',
  leverage: { [SPOT]: 1 },
  signingKey: KEY,
  openedAt: T0,
};

/** One venue process; its books survive it. */
class VenueProcess {
  readonly printed: Record<string, unknown>[] = [];
  private readonly watchers = new Set<() => void>();
  private child: ChildProcess | null = null;
  errors = '';

  constructor(readonly directory: string) {}

  /** @returns the port that it listens on */
  async start(...flags: string[]): Promise<number> {
    this.printed.length = 0;
    const child = spawn(process.execPath, [MAIN, '--data-dir', this.directory, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    child.stderr.on('data', (chunk: Buffer) => (this.errors += chunk.toString()));
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.printed.push(JSON.parse(line) as Record<string, unknown>);
      for (const watcher of this.watchers) watcher();
    });
    return Number((await this.line('listening')).listening);
  }

  /** The first line that has this member, when it comes. */
  async line(member: string): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.printed.find((line) => member in line);
      if (found) return found;
      await new Promise<void>((resume, fail) => {
        const child = this.child;
        const done = () => {
          this.watchers.delete(done);
          child?.off('exit', gone);
          resume();
        };
        const gone = () => fail(new Error(`The venue process ended: ${this.errors}`));
        this.watchers.add(done);
        child?.once('exit', gone);
      });
    }
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.child;
    this.child = null;
    if (!child || child.exitCode !== null) return child?.exitCode ?? null;
    const exit = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
    child.kill(signal);
    return exit;
  }
}

beforeAll(() => {
  if (!existsSync(MAIN)) execFileSync(process.execPath, [join(ROOT, 'scripts/build.mjs')]);
});

describeVenue({
  name: 'paper venue as a process of its own',
  isDurable: true,
  create: async (needs) => {
    const directory = mkdtempSync(join(tmpdir(), 'moon-venue-process-'));
    const config: PartialVenueConfig = {
      liquidity: { participation: needs.participation ?? null },
      latency: { order: { minMs: needs.orderLatencyMs ?? 0 }, ack: { minMs: needs.ackLatencyMs ?? 0 } },
    };
    const file = join(directory, 'config.json');
    writeFileSync(file, JSON.stringify(config));
    const flags = ['--config', file, '--snapshot-every', '3'];
    const venueProcess = new VenueProcess(directory);
    let venue = new RemotePaperVenue({ port: await venueProcess.start(...flags) });
    return {
      venue,
      sign,
      signingKey: KEY,
      restart: async () => {
        await venue.close();
        await venueProcess.end('SIGKILL');
        venue = new RemotePaperVenue({ port: await venueProcess.start(...flags) });
        return venue;
      },
      close: async () => {
        await venue.close();
        await venueProcess.end('SIGKILL');
        rmSync(directory, { recursive: true });
      },
    };
  },
});

describe('the process of the paper venue', () => {
  const desk = orderDesk(sign);
  let directory: string;
  let venueProcess: VenueProcess;
  let clients: RemotePaperVenue[];

  const client = (port: number, requestTimeoutMs = 5_000, retryForMs = 10_000) => {
    const venue = new RemotePaperVenue({ port, requestTimeoutMs, retryForMs });
    clients.push(venue);
    return venue;
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'moon-venue-process-'));
    venueProcess = new VenueProcess(directory);
    clients = [];
  });

  afterEach(async () => {
    for (const venue of clients) await venue.close();
    await venueProcess.end('SIGKILL');
    rmSync(directory, { recursive: true });
  });

  it('says what it has accepted before it answers, so that a test can kill in between', async () => {
    const venue = client(await venueProcess.start('--answer-delay-ms', '60000'), 300);
    await venue.openAccount(ACCOUNT);
    await venue.market(tick(SPOT, 0, 40_000));
    const order = desk.order(SPOT, 'buy', '0.5');
    const answer = expect(venue.submit(order)).rejects.toBeInstanceOf(VenueTimeout);
    expect(await venueProcess.line('accepted')).toEqual({ accepted: order.clientOrderId });
    await answer;
    expect(await venue.query('main', order.clientOrderId)).toMatchObject({ known: true, status: 'filled' });
  });

  it('accepts and stays silent, turns orders down, and forgets it when told so', async () => {
    const venue = client(await venueProcess.start('--timeout-next', '1'), 300);
    await venue.openAccount(ACCOUNT);
    await venue.market(tick(SPOT, 0, 40_000));
    const silent = desk.order(SPOT, 'buy', '0.5');
    await expect(venue.submit(silent)).rejects.toBeInstanceOf(VenueTimeout);
    expect(await venue.query('main', silent.clientOrderId)).toMatchObject({ known: true, status: 'filled' });
    await venue.setFaults({ rejectNext: 1, rejectCode: 'no_appetite' });
    expect(await venue.submit(desk.order(SPOT, 'buy', '0.5'))).toMatchObject([
      { kind: 'rejected', code: 'no_appetite' },
    ]);
    expect(await venue.submit(desk.order(SPOT, 'buy', '0.5'))).toMatchObject([
      { kind: 'accepted' },
      { kind: 'filled' },
    ]);
  });

  it('goes on after a kill: the client repeats what may be repeated and misses no report', async () => {
    const port = await venueProcess.start();
    const venue = client(port);
    await venue.openAccount(ACCOUNT);
    await venue.market(tick(SPOT, 0, 40_000));
    await venue.submit(desk.order(SPOT, 'buy', '0.5'));
    await venueProcess.end('SIGKILL');
    const restarted = venueProcess.start('--port', String(port));
    expect(await venue.market(tick(SPOT, 1_000, 41_000))).toEqual([]);
    await restarted;
    expect(await venue.books('main')).toMatchObject({
      cash: '79980',
      positions: [{ quantity: '0.5' }],
      lastVenueSeq: 2,
    });
    expect((await venue.reportsSince('main', 0)).map((report) => report.kind)).toEqual(['accepted', 'filled']);
  });

  it('hands on what was reported to a caller that is gone, when it is asked', async () => {
    const first = client(await venueProcess.start('--answer-delay-ms', '60000'));
    await first.openAccount(ACCOUNT);
    await first.market(tick(SPOT, 0, 40_000));
    const order = desk.order(SPOT, 'buy', '0.5');
    const lost = expect(first.submit(order)).rejects.toBeInstanceOf(VenueTimeout);
    await venueProcess.line('accepted');
    await first.close();
    await lost;
    const second = client(Number((await venueProcess.line('listening')).listening));
    await expect(second.submit(order)).rejects.toMatchObject({ code: 'nonce_used' });
    expect((await second.reportsSince('main', 0)).map((report) => report.kind)).toEqual(['accepted', 'filled']);
  });

  it('is unreachable when it is not there, and says what to look at', async () => {
    const port = await venueProcess.start();
    await venueProcess.end('SIGTERM');
    const venue = client(port, 1_000, 0);
    await expect(venue.submit(desk.order(SPOT, 'buy', '1'))).rejects.toThrow(
      /cannot be reached.*Is its process running/,
    );
    await expect(venue.query('main', 'x')).rejects.toBeInstanceOf(VenueUnreachable);
  });

  it('ends on SIGTERM with code 0, its books whole', async () => {
    const venue = client(await venueProcess.start());
    await venue.openAccount(ACCOUNT);
    await venue.market(tick(SPOT, 0, 40_000));
    await venue.submit(desk.order(SPOT, 'buy', '0.5'));
    const books = await venue.books('main');
    expect(await venueProcess.end('SIGTERM')).toBe(0);
    const again = client(await venueProcess.start());
    expect(await again.books('main')).toEqual(books);
    expect(venueProcess.errors).toBe('');
  });

  it('ends on SIGTERM also while it holds an answer back', async () => {
    const venue = client(await venueProcess.start('--answer-delay-ms', '60000'));
    await venue.openAccount(ACCOUNT);
    await venue.market(tick(SPOT, 0, 40_000));
    const answer = expect(venue.submit(desk.order(SPOT, 'buy', '0.5'))).rejects.toBeInstanceOf(VenueTimeout);
    await venueProcess.line('accepted');
    expect(await venueProcess.end('SIGTERM')).toBe(0);
    await answer;
    const again = client(await venueProcess.start());
    expect(await again.books('main')).toMatchObject({ lastVenueSeq: 2 });
  });

  it('refuses to share its books with a second process', async () => {
    await venueProcess.start();
    const second = new VenueProcess(directory);
    await expect(second.start()).rejects.toThrow(/in use by process \d+/);
  });

  it('refuses frames that are none, and events that break the contract, and goes on', async () => {
    const port = await venueProcess.start();
    const answers = await raw(port, [
      'no json',
      '{"id":1}',
      '{"id":2,"method":"constructor","params":[]}',
      '{"id":3,"method":"submit","params":[{"portfolio":"main"}]}',
      '{"id":4,"method":"advanceTo","params":["soon"]}',
      JSON.stringify({ id: 5, method: 'market', params: [{ ...tick(SPOT, 0, 40_000), occurredAt: 'now' }] }),
      JSON.stringify({ id: 6, method: 'openAccount', params: [{ ...ACCOUNT, deposit: '-1' }] }),
      JSON.stringify({ id: 7, method: 'books', params: ['__proto__'] }),
      '{"id":8,"method":"name","params":[]}',
    ]);
    expect(answers.map(({ id, error }) => [id, error?.code])).toEqual([
      [0, 'malformed'],
      [0, 'malformed'],
      [2, 'malformed'],
      [3, 'malformed'],
      [4, 'malformed'],
      [5, 'malformed'],
      [6, 'malformed'],
      [7, 'unknown_account'],
      [8, undefined],
    ]);
    expect(venueProcess.errors).toBe('');
  });

  it('cuts off a frame without an end', async () => {
    const port = await venueProcess.start();
    const [answer] = await raw(port, ['x'.repeat(5 * 1024 * 1024)]);
    expect(answer?.error?.message).toMatch(/longer than 4194304 bytes/);
    expect(await client(port).nextDueAt()).toBeNull();
  });

  it('of a deployment prices and charges as the settings of its processes say', async () => {
    const file = join(directory, 'deployment.yaml');
    const instruments = [{ instrument: SPOT, priceSource: 'BTC.HYPERLIQUID' }];
    const settings = {
      venue: { paper: { fees: { takerBps: 7 } } },
      platform: { portfolios: [{ name: 'main', instruments }] },
    };
    writeFileSync(file, JSON.stringify(settings));
    const flags = ['--cluster', '--config', file, '--set', 'venue.paper.slippage.bps=100'];
    const venue = client(await venueProcess.start(...flags));
    await venue.openAccount(ACCOUNT);
    await venue.market(tick('BTC.HYPERLIQUID', 0, 40_000));
    const reports = await venue.submit(desk.order(SPOT, 'buy', '0.5'));
    // One per cent above 40,000, and 7 basis points of 20,200.
    expect(reports).toMatchObject([{ kind: 'accepted' }, { kind: 'filled', price: '40400', fee: '14.14' }]);
  });

  it('says what is wrong with its flags', async () => {
    await expect(venueProcess.start('--set', 'venue.paper.slippage.bps=1')).rejects.toThrow(/give --cluster, too/);
    await expect(venueProcess.start('--cluster', '--set', 'venue.papr={}')).rejects.toThrow(/"venue.paper"/);
    await expect(venueProcess.start('--port', 'http')).rejects.toThrow(/--port must be a whole number/);
    const file = join(directory, 'bad.json');
    writeFileSync(file, '{"marketFill":"soon"}');
    await expect(venueProcess.start('--config', file)).rejects.toThrow(/\/marketFill is "soon"/);
  });
});

interface RawAnswer {
  id: number;
  error?: { code: string; message: string };
}

/** Sends lines as they are and reads as many answers. */
async function raw(port: number, lines: string[]): Promise<RawAnswer[]> {
  const socket = connect(port, '127.0.0.1');
  const answers: RawAnswer[] = [];
  try {
    await new Promise<void>((done, fail) => {
      createInterface({ input: socket }).on('line', (line) => {
        answers.push(JSON.parse(line) as RawAnswer);
        if (answers.length === lines.length) done();
      });
      socket.once('error', fail);
      socket.write(`${lines.join('\n')}\n`);
    });
  } finally {
    socket.destroy();
  }
  return answers;
}
