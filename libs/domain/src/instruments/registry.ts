import { deriveExchange, exchangeInstruments } from './exchanges';
import { deriveHyperliquid, hyperliquidInstruments } from './hyperliquid';
import type { Instrument } from './instrument';

/** Every instrument whose trading rules are known without a network. */
export const INSTRUMENTS: readonly Instrument[] = [...hyperliquidInstruments(), ...exchangeInstruments()];

const byId = new Map(INSTRUMENTS.map((instrument) => [instrument.id, instrument]));
/** Derived ones, kept so that one id is one object; forgotten all at once before foreign symbols could fill the memory. */
const derived = new Map<string, Instrument>();
const MOST_DERIVED = 4_096;

/**
 * The instrument of a feed's symbol. Symbols that are not in {@link INSTRUMENTS} get a definition by the naming rule of their
 * venue (base, quote, kind, expiry; the finest digits, cautious leverage): enough to carry prices and liquidations.
 *
 * @param source the venue whose names these are, in any case: hyperliquid, binance-spot, binance-usdm, binance-coinm, kraken, ftx
 * @returns undefined when the venue is unknown or the symbol does not follow its naming rule
 */
export function instrumentForFeed(source: string, symbol: string): Instrument | undefined {
  const venue = source.toUpperCase();
  const id = `${symbol}.${venue}`;
  const known = byId.get(id) ?? derived.get(id);
  if (known !== undefined) return known;
  const instrument = venue === 'HYPERLIQUID' ? deriveHyperliquid(symbol) : deriveExchange(venue, symbol);
  if (instrument === undefined) return undefined;
  if (derived.size >= MOST_DERIVED) derived.clear();
  derived.set(id, instrument);
  return instrument;
}

/** The instrument of an id `${symbol}.${venue}`, known or derived by its venue's naming rule; undefined when neither. */
export function findInstrument(id: string): Instrument | undefined {
  const known = byId.get(id);
  if (known !== undefined) return known;
  const dot = id.lastIndexOf('.');
  const venue = id.slice(dot + 1);
  return dot < 1 || venue !== venue.toUpperCase() ? undefined : instrumentForFeed(venue, id.slice(0, dot));
}
