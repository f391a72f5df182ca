import { inputId, type AnyEvent } from '@moon/events';
import { bootstrapEvents, type PlatformConfig } from '@moon/domain';
import { canonicalHash } from '../core/canonical-json';
import type { EventStore } from '../ports/event-store';
import type { AccountSpec } from '../ports/venue';

export interface StartOptions {
  runId: string;
  codeVersion: string;
  platform: PlatformConfig;
  /** What a run with users' agents is known by beside its configuration. */
  strategies?: readonly StrategyRecord[];
  /** Run time of the start, ms. */
  at: number;
  feedInstruments: readonly string[];
  headers: AnyEvent['headers'];
}

/** A user's agent as it stands in `config.activated`: not where its code lies, but what it says. */
export interface StrategyRecord {
  name: string;
  /** SHA-256 of all its files. */
  sha256: string;
  config: unknown;
}

/**
 * What a run takes in before its first market event: its configuration whenever it is new to the log (rule 8), and the
 * portfolios and instruments of a new log. Ids are derived, so a start that was cut off is completed, not repeated.
 */
export async function startEvents(options: StartOptions, store: EventStore): Promise<AnyEvent[]> {
  const last = await store.query({ types: ['config.activated'], order: 'newest', limit: 1 });
  const activated = last.rows[0]?.event;
  const { platform, strategies = [] } = options;
  const values = { platform, ...(strategies.length > 0 && { strategies }) } as unknown as Extract<
    AnyEvent,
    { type: 'config.activated' }
  >['data']['values'];
  const isKnown =
    activated?.type === 'config.activated' &&
    activated.data.codeVersion === options.codeVersion &&
    canonicalHash(activated.data.values) === canonicalHash(values);
  const events: AnyEvent[] = [];
  if (!isKnown) events.push(configActivated(options, values, await store.lastSeq()));
  const { at, feedInstruments, headers } = options;
  return [...events, ...bootstrapEvents({ at, portfolios: platform.portfolios, feedInstruments, headers })];
}

/** Signs a portfolio's orders; the venue checks them with the account's key. */
export interface OrderSigner {
  /** Key with which the venue checks the account's orders; undefined when it does not check them. */
  accountKey(portfolio: string): string | undefined;
  sign(portfolio: string, payload: string): string;
}

/** The accounts that a venue opens for the configured portfolios. */
export function accountSpecs(platform: PlatformConfig, openedAt: number, signer: OrderSigner): AccountSpec[] {
  return platform.portfolios.map((portfolio) => ({
    portfolio: portfolio.name,
    accountModel: portfolio.accountModel,
    ...(portfolio.accountModel === 'margin' ? { marginMode: portfolio.marginMode } : {}),
    settlementAsset: portfolio.settlementAsset,
    ledgerScale: portfolio.ledgerScale,
    deposit: portfolio.deposit,
    leverage: Object.fromEntries(portfolio.instruments.map(({ instrument, leverage }) => [instrument, leverage])),
    positions: portfolio.positions,
    signingKey: signer.accountKey(portfolio.name),
    openedAt,
  }));
}

function configActivated(
  { runId, codeVersion, at, headers }: StartOptions,
  values: Extract<AnyEvent, { type: 'config.activated' }>['data']['values'],
  lastSeq: number,
): AnyEvent {
  const id = inputId({
    source: 'config',
    kind: 'config.activated',
    instrument: runId,
    venueTime: at,
    values: [codeVersion, canonicalHash(values), lastSeq],
  });
  return {
    ...{ id, type: 'config.activated', schemaVersion: 1, source: 'bootstrap', key: 'system', occurredAt: at },
    ...{ correlationId: id, causationId: null, headers },
    data: { event_type: 'config.activated', runId, codeVersion, values, timestamp: at },
  };
}
