import { instrumentFromListing } from '@moon/domain';
import type { AnyEvent, EmitData } from '@moon/events';
import { bestOf, takeDelta, takeSnapshot } from './book';
import { openSource, relist, type Desk, type VenueContext } from './context';
import { settleFunding } from './funding';
import { judge } from './liquidation';
import type { MarkOverride } from './margin';
import { matchBar } from './inside-bar';
import { matchMark, matchQuote, matchTrade, type Traded } from './matching';
import { own } from './own';
import { matchBook, queuedSizes } from './queueing';
import type { MarketState } from './state';

interface Source {
  market: MarketState;
  desks: Desk[];
}

/**
 * Takes a market event: prices first, then the orders that they reach, then the margin accounts that they touch.
 * `context.state.time` is the time of the event already. Events that say nothing to a venue are passed over.
 */
export function takeMarket(context: VenueContext, event: AnyEvent): void {
  switch (event.type) {
    case 'bar.closed':
      if (event.data.derived !== true) closeBar(context, event.data);
      return;
    case 'bar.opened':
      if (event.data.derived !== true) openBar(context, event.data);
      return;
    case 'price.tick':
      takeTick(context, event.data, event.occurredAt);
      return;
    case 'book.delta':
    case 'book.snapshot':
      takeBook(context, event.data, event.occurredAt);
      return;
    case 'funding.update':
      for (const desk of context.deskList) {
        const { id, kind } = desk.instrument;
        const source = own(context.config.fundingSources, id) ?? id;
        if (source === event.data.instrument && kind !== 'spot') settleFunding(context, desk, event.data);
      }
      return;
    case 'instrument.listed':
      relist(context, instrumentFromListing(event.data));
      return;
    default:
      return;
  }
}

function takeTick(context: VenueContext, tick: EmitData<'price.tick'>, at: number): void {
  const source = openSource(context, tick.instrument);
  const { market, desks } = source;
  const { kind, price } = tick;
  switch (kind) {
    case 'last':
      // A trade that arrives late moves no price; its volume was traded all the same.
      if (at < market.lastAt) return;
      if (tick.size !== undefined) countVolume(market, tick.size);
      trade(context, source, price, at, tick);
      return;
    case 'bid':
    case 'ask': {
      const quotedAt = kind === 'bid' ? market.bidAt : market.askAt;
      if (at < quotedAt) return;
      if (kind === 'bid') {
        market.bid = price;
        market.bidAt = at;
      } else {
        market.ask = price;
        market.askAt = at;
      }
      for (const desk of desks) if (desk.resting.length > 0) matchQuote(context, desk, kind, price);
      if (market.last === 0 && market.mark === 0) judgeHolders(context, desks);
      return;
    }
    case 'mark':
      market.mark = price;
      for (const desk of desks) if (desk.resting.length > 0) matchMark(context, desk);
      judgeHolders(context, desks);
      return;
    case 'oracle':
      market.oracle = price;
      return;
  }
}

/**
 * A book, or what changed in it. After a gap in the numbers of its updates it is worth nothing until the next snapshot:
 * takers then meet the last price or quote, as if there were none.
 */
function takeBook(context: VenueContext, told: EmitData<'book.delta'> | EmitData<'book.snapshot'>, at: number): void {
  const { market, desks } = openSource(context, told.instrument);
  const old = market.book;
  if (old !== null && at < old.at) return;
  const isSnapshot = !('lastUpdateId' in told);
  if (!isSnapshot && (old === null || old.isBroken)) return;
  const before = desks.map((desk) => queuedSizes(desk, old));
  if (isSnapshot) market.book = takeSnapshot(old, told, at);
  else if (old !== null) {
    const outcome = takeDelta(old, told, at);
    old.isBroken = outcome === 'gap';
    if (outcome !== 'taken') return;
  }
  const { book } = market;
  if (book === null) return;
  [market.bid, market.ask] = [bestOf(book.bids), bestOf(book.asks)];
  market.bidAt = market.askAt = at;
  desks.forEach((desk, index) => {
    if (desk.resting.length > 0) matchBook(context, desk, book, before[index] ?? null);
  });
  if (market.last === 0 && market.mark === 0) judgeHolders(context, desks);
}

function openBar(context: VenueContext, bar: EmitData<'bar.opened'>): void {
  const source = openSource(context, bar.instrument);
  if (isForeignInterval(source.market, bar.intervalMs) || bar.timestamp < source.market.lastAt) return;
  if (bar.timestamp === source.market.barOpenedAt) return;
  source.market.barOpenedAt = bar.timestamp;
  trade(context, source, bar.open, bar.timestamp);
}

function closeBar(context: VenueContext, bar: EmitData<'bar.closed'>): void {
  const source = openSource(context, bar.instrument);
  const { market, desks } = source;
  if (isForeignInterval(market, bar.intervalMs) || bar.timestamp < market.lastAt) return;
  // The same bar again would fill the same orders out of the same volume again.
  if (bar.timestamp <= market.barClosedAt) return;
  market.barClosedAt = bar.timestamp;
  countVolume(market, bar.volume);
  const isOpenSeen = market.barOpenedAt === bar.openedAt;
  for (const desk of desks) if (desk.resting.length > 0) matchBar(context, desk, bar, isOpenSeen);
  if (context.config.margin.judgedOn === 'extremes') {
    for (const desk of desks) {
      const override: MarkOverride = { desk, forLong: bar.low, forShort: bar.high };
      for (const account of [...desk.holders]) judge(context, account, override);
    }
  }
  trade(context, source, bar.close, bar.timestamp);
}

/** A new last price; `traded` is given with a trade. */
function trade(context: VenueContext, source: Source, price: number, at: number, traded?: Traded): void {
  const { market, desks } = source;
  market.last = price;
  market.lastAt = at;
  for (const desk of desks) {
    if (desk.resting.length > 0) matchTrade(context, desk, price, traded);
    if (desk.holders.length > 0) judgeHolders(context, [desk]);
  }
}

function judgeHolders(context: VenueContext, desks: readonly Desk[]): void {
  for (const desk of desks) for (const account of [...desk.holders]) judge(context, account);
}

function countVolume(market: MarketState, volume: number): void {
  market.volume = volume;
  market.observations += 1;
}

/** Bars of one length make the market, the shortest that is fed; longer ones tell the same trades again. */
function isForeignInterval(market: MarketState, intervalMs: number): boolean {
  if (market.barMs === 0 || intervalMs < market.barMs) market.barMs = intervalMs;
  return intervalMs > market.barMs;
}
