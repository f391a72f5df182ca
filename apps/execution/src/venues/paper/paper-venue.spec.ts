import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signPaperOrder, type PartialVenueConfig } from '@moon/backtesting';
import { describeVenue } from '../../../../../libs/kernel/src/contracts/venue.contract';
import type { VenueNeeds } from '../../../../../libs/kernel/src/testing/venue-bed';
import { PaperVenue } from './paper-venue';

const KEY = 'key-of-the-tests';
const sign = (payload: string) => signPaperOrder(payload, KEY);

/** What a test of the contract needs, as configuration of the engine. */
const configOf = (needs: VenueNeeds): PartialVenueConfig => ({
  liquidity: { participation: needs.participation ?? null },
  latency: { order: { minMs: needs.orderLatencyMs ?? 0 }, ack: { minMs: needs.ackLatencyMs ?? 0 } },
});

describeVenue({
  name: 'paper venue in this process, books in memory',
  isDurable: false,
  create: async (needs) => {
    const venue = new PaperVenue({ config: configOf(needs) });
    return { venue, sign, signingKey: KEY, close: async () => venue.close() };
  },
});

describeVenue({
  name: 'paper venue in this process, durable books',
  isDurable: true,
  create: async (needs) => {
    const directory = mkdtempSync(join(tmpdir(), 'moon-venue-'));
    // A snapshot every third input, so that the short histories of the contract cross several of them.
    const open = () => new PaperVenue({ config: configOf(needs), directory, snapshotEvery: 3 });
    let venue = open();
    return {
      venue,
      sign,
      signingKey: KEY,
      restart: async () => {
        venue.abandon();
        venue = open();
        return venue;
      },
      close: async () => {
        venue.close();
        rmSync(directory, { recursive: true });
      },
    };
  },
});
