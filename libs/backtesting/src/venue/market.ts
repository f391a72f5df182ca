import { instrumentFromListing } from '@moon/domain';
import type { AnyEvent, EmitData } from '@moon/events';
import { openSource, relist, type Desk, type VenueContext } from './context';
import { settleFunding } from './funding';
import { judge } from './liquidation';
import type { MarkOverride } from './margin';
import { matchBar, matchMark, matchQuote, matchTrade } from './matching';
import { own } from './own';
import type { MarketState } from './state';

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
  const { market, desks } = openSource(context, tick.instrument);
  const { kind, price } = tick;
  switch (kind) {
    case 'last':
      // A trade that arrives late moves no price; its volume was traded all the same.
      if (at < market.lastAt) return;
      if (tick.size !== undefined) countVolume(market, tick.size);
      trade(context, { market, desks }, price, at);
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

function openBar(context: VenueContext, bar: EmitData<'bar.opened'>): void {
  const source = openSource(context, bar.instrument);
  if (isForeignInterval(source.market, bar.intervalMs) || bar.timestamp < source.market.lastAt) return;
  source.market.barOpenedAt = bar.timestamp;
  trade(context, source, bar.open, bar.timestamp);
}

function closeBar(context: VenueContext, bar: EmitData<'bar.closed'>): void {
  const source = openSource(context, bar.instrument);
  const { market, desks } = source;
  if (isForeignInterval(market, bar.intervalMs) || bar.timestamp < market.lastAt) return;
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

/** A new last price. */
function trade(context: VenueContext, source: { market: MarketState; desks: Desk[] }, price: number, at: number): void {
  const { market, desks } = source;
  market.last = price;
  market.lastAt = at;
  for (const desk of desks) {
    if (desk.resting.length > 0) matchTrade(context, desk, price);
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
