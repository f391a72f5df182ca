import type { AccountSpec, VenuePort, VenueReport } from '../ports/venue';
import { orderDesk, T0, type OrderDesk } from './venue-desk';

/** What a test needs of a venue beyond its defaults. */
export interface VenueNeeds {
  /** Share of the traded volume that an order may take; without it orders are filled whole. */
  participation?: number;
  /** From the platform to the venue, feed ms. */
  orderLatencyMs?: number;
  /** From the venue to the platform, feed ms. */
  ackLatencyMs?: number;
}

/** A venue under test. */
export interface VenueHarness {
  venue: VenuePort;
  /** Signs for accounts that were opened with `signingKey`. */
  sign: (payload: string) => string;
  signingKey: string;
  /** Ends the venue as an accident would and starts it again; only of venues that keep their books. */
  restart?: () => Promise<VenuePort>;
  close: () => Promise<void>;
}

export interface VenueContract {
  /** What is under test; the name of the suite. */
  name: string;
  create: (needs: VenueNeeds) => Promise<VenueHarness>;
  /** True when the harness can `restart`. */
  isDurable: boolean;
}

export const SPOT = 'BTCUSDT.BINANCE-SPOT';
export const PERP = 'BTC.HYPERLIQUID';

/** One venue with an account `main`, as a test of the contract wants it. */
export class VenueBed {
  private harness: VenueHarness | null = null;
  private connected: VenuePort | null = null;
  private writer: OrderDesk | null = null;

  constructor(private readonly create: VenueContract['create']) {}

  get venue(): VenuePort {
    if (!this.connected) throw new Error('The test opened no venue.');
    return this.connected;
  }

  get desk(): OrderDesk {
    if (!this.writer) throw new Error('The test opened no venue.');
    return this.writer;
  }

  /** A fresh venue, its account a cash account of 100,000 USDT unless `spec` says otherwise. */
  async open(needs: VenueNeeds = {}, spec: Partial<AccountSpec> = {}): Promise<void> {
    this.harness = await this.create(needs);
    this.connected = this.harness.venue;
    this.writer = orderDesk(this.harness.sign);
    await this.venue.openAccount(this.account(spec));
  }

  account(spec: Partial<AccountSpec> = {}): AccountSpec {
    return {
      portfolio: 'main',
      accountModel: 'cash',
      settlementAsset: 'USDT',
      deposit: '100000',
      leverage: { [SPOT]: 1 },
      signingKey: this.harness?.signingKey,
      openedAt: T0,
      ...spec,
    };
  }

  async restart(): Promise<void> {
    if (!this.harness?.restart) throw new Error('A durable venue is to be restarted, and the harness cannot.');
    this.connected = await this.harness.restart();
  }

  async close(): Promise<void> {
    await this.harness?.close();
    this.harness = null;
  }
}

/** 20,000 USDC at 10×, isolated. */
export const marginAccount = (spec: Partial<AccountSpec> = {}): Partial<AccountSpec> => ({
  accountModel: 'margin',
  marginMode: 'isolated',
  settlementAsset: 'USDC',
  deposit: '20000',
  leverage: { [PERP]: 10 },
  ...spec,
});

/** Kind and code of each report. */
export const kinds = (reports: readonly VenueReport[]): string[] =>
  reports.map((report) => (report.code === undefined ? report.kind : `${report.kind} ${report.code}`));
