import { inputId, type AnyEvent, type EmitData, type EventType } from '@moon/events';
import { findInstrument, instrumentListing } from '../instruments';
import type { PortfolioSettings } from './portfolio-settings';

export interface BootstrapOptions {
  /** Run time of the start, ms: the time of all these events. */
  at: number;
  portfolios: readonly PortfolioSettings[];
  /** Instruments that the feed prices. */
  feedInstruments: readonly string[];
  headers: AnyEvent['headers'];
  /** Who says so, where several say the same at one instant: each has events of its own. */
  shard?: string;
}

/**
 * The events that a new log begins with: instruments, portfolios, deposits and initial positions (rules 11 and 14).
 * A portfolio's instrument is priced by its configured source, else by the feed's instrument of its token, else by itself.
 */
export function bootstrapEvents(options: BootstrapOptions): AnyEvent[] {
  const events: AnyEvent[] = [];
  const add = <T extends EventType>(type: T, key: string, data: EmitData<T>): void => {
    events.push(bootstrapEvent(type, key, data, options));
  };
  const traded = options.portfolios.flatMap((portfolio) => portfolio.instruments.map(({ instrument }) => instrument));
  for (const id of new Set([...options.feedInstruments, ...traded])) {
    const instrument = known(id);
    add('instrument.listed', instrument.token, instrumentListing(instrument, options.at));
  }
  for (const portfolio of options.portfolios) openPortfolio(portfolio, options, add);
  return events;
}

/** The instrument whose prices value a portfolio's instrument. */
export function priceSourceOf(
  instrument: string,
  configured: string | undefined,
  feedInstruments: readonly string[],
): string {
  if (configured !== undefined) return configured;
  if (feedInstruments.includes(instrument)) return instrument;
  const { token } = known(instrument);
  return feedInstruments.find((id) => findInstrument(id)?.token === token) ?? instrument;
}

type Add = <T extends EventType>(type: T, key: string, data: EmitData<T>) => void;

function openPortfolio(config: PortfolioSettings, { at, feedInstruments }: BootstrapOptions, add: Add): void {
  const { name: portfolio, accountModel, settlementAsset } = config;
  const instruments = config.instruments.map(({ instrument, leverage, priceSource }) => {
    return { instrument, leverage, priceSource: priceSourceOf(instrument, priceSource, feedInstruments) };
  });
  add('portfolio.opened', portfolio, {
    portfolio,
    accountModel,
    ...(accountModel === 'margin' ? { marginMode: config.marginMode } : {}),
    settlementAsset,
    ledgerScale: config.ledgerScale,
    instruments,
    subscriptions: {
      consensus: config.subscriptions.consensus,
      agents: config.subscriptions.agents,
      instruments: config.subscriptions.instruments ?? instruments.map(({ instrument }) => instrument),
    },
    limits: config.limits as EmitData<'portfolio.opened'>['limits'],
    sizing: config.sizing,
    timestamp: at,
  });
  add('portfolio.deposited', portfolio, { portfolio, amount: config.deposit, asset: settlementAsset, timestamp: at });
  for (const { instrument, side, quantity, price, margin } of config.positions) {
    const { token } = known(instrument);
    add('portfolio.position_opened', portfolio, {
      portfolio,
      token,
      instrument,
      side,
      quantity,
      price,
      margin,
      timestamp: at,
    });
  }
}

function known(id: string): NonNullable<ReturnType<typeof findInstrument>> {
  const instrument = findInstrument(id);
  if (!instrument)
    throw new Error(
      `Instrument "${id}" is not known. Instruments are named SYMBOL.VENUE, e.g. BTC.HYPERLIQUID or BTCUSDT.BINANCE-SPOT.`,
    );
  return instrument;
}

function bootstrapEvent<T extends EventType>(
  type: T,
  key: string,
  data: EmitData<T>,
  { at, headers, shard }: BootstrapOptions,
): AnyEvent {
  const id = inputId({
    source: 'bootstrap',
    kind: type,
    instrument: key,
    venueTime: at,
    values: [JSON.stringify(data), ...(shard === undefined ? [] : [shard])],
  });
  return {
    ...{ id, type, schemaVersion: 1, source: 'bootstrap', key, occurredAt: at, correlationId: id, causationId: null },
    data: { event_type: type, ...data },
    headers,
  } as unknown as AnyEvent;
}
