import { evolveOrder, evolvePortfolio, isTerminal, type OrderState, type PortfolioState } from '@moon/domain';
import { CATALOG, type AnyEvent, type EmitData } from '@moon/events';
import type { LogRow } from '@moon/kernel';
import { digestOf } from '../carried';
import type { Findings } from './findings';

/** What the log holds of one event. */
export interface Stored {
  digest: string;
  cause: string | null;
  stream: string | null;
  version: number;
  /** That emitted it; known of events in streams. */
  shard: string | null;
}

interface Window {
  token: string;
  closesAt: number;
}

/** Stages of a force close after which nothing more is to come. */
const CLOSED: ReadonlySet<string> = new Set(['released', 'failed', 'flat']);
/** Run time after which an open saga is stuck, ms. */
const SAGA_PATIENCE_MS = 30 * 60_000;
/** Positions count at their cost here, and at their mark where the limit is judged: prices move a little meanwhile. */
const LIMIT_SLACK = 1.15;

/** The log, folded by the domain's own rules, beside the platform. */
export class LogFold {
  readonly events = new Map<string, Stored>();
  readonly portfolios = new Map<string, PortfolioState>();
  readonly orders = new Map<string, OrderState>();
  private readonly versions = new Map<string, number>();
  private readonly windows = new Map<string, Window>();
  private readonly closings = new Map<string, { stage: string; at: number }>();
  /** Run time of the newest event. */
  latest = 0;

  /** @param grossExposure the limit of every portfolio, in settlement asset; null: it is wide */
  constructor(private readonly grossExposure: number | null = null) {}

  take({ event, streamId, version }: LogRow, findings: Findings): void {
    const digest = digestOf(event);
    const known = this.events.get(event.id);
    if (known) {
      findings.add('doubled', `an event is in the log twice: ${event.type} ${event.id}`);
      return;
    }
    const stream = streamId ?? null;
    this.events.set(event.id, { digest, cause: event.causationId, stream, version: version ?? 0, shard: null });
    this.latest = Math.max(this.latest, event.occurredAt);
    if (stream === null) return;
    const before = this.versions.get(stream) ?? 0;
    if (version !== before + 1)
      findings.add('lost', `a stream has a gap: ${stream} goes from ${before} to ${String(version)}`);
    this.versions.set(stream, version ?? before);
    try {
      this.fold(event, stream);
      if (event.type === 'portfolio.reserved') this.weigh(event.data, findings);
    } catch (error) {
      findings.add('stuck', `a stream does not fold: ${stream}, ${(error as Error).message}`);
    }
  }

  /** Notes which shard appended an event to its stream. */
  emitted(id: string, shard: string): void {
    const stored = this.events.get(id);
    if (stored) stored.shard = shard;
  }

  /** What is open in the log and should not be, when nothing is under way. */
  judge(findings: Findings): void {
    for (const { portfolio, reservations } of this.portfolios.values()) {
      for (const id of Object.keys(reservations)) {
        const order = this.orders.get(id);
        if (!order || isTerminal(order.status))
          findings.add('stuck', `a reservation leaked: order ${id} of ${portfolio} is ${order?.status ?? 'unknown'}`);
      }
    }
    for (const order of this.orders.values()) {
      const isOnTheWay = ['requested', 'approved', 'submitted', 'unknown'].includes(order.status);
      if (isOnTheWay && this.latest - order.updatedAt > SAGA_PATIENCE_MS)
        findings.add('stuck', `an order is under way for ever: ${order.orderId} is ${order.status}`);
    }
    for (const [id, { token, closesAt }] of this.windows) {
      if (this.latest - closesAt > SAGA_PATIENCE_MS)
        findings.add('stuck', `a consensus window was never decided: ${id} of ${token}`);
    }
    for (const [portfolio, { stage, at }] of this.closings) {
      if (!CLOSED.has(stage) && this.latest - at > SAGA_PATIENCE_MS)
        findings.add('stuck', `a force close does not end: ${portfolio} is at ${stage}`);
    }
  }

  /** What is held, and what orders in flight may still take, against the limit: two that each saw room for one are found here. */
  private weigh({ portfolio, order_id, reduceOnly }: EmitData<'portfolio.reserved'>, findings: Findings): void {
    const state = this.portfolios.get(portfolio);
    if (this.grossExposure === null || reduceOnly || !state) return;
    // As the limit sees it: what is in flight against a position takes away from it before it adds on the other side.
    const byInstrument = new Map<string, number>();
    const add = (instrument: string, signed: number): void =>
      void byInstrument.set(instrument, (byInstrument.get(instrument) ?? 0) + signed);
    for (const { instrument, quantity, costBasis } of Object.values(state.positions))
      add(instrument, Math.sign(Number(quantity)) * Math.abs(Number(costBasis)));
    for (const { instrument, side, notional } of Object.values(state.reservations))
      add(instrument, side === 'buy' ? Number(notional) : -Number(notional));
    const taken = [...byInstrument.values()].reduce((sum, signed) => sum + Math.abs(signed), 0);
    if (taken > this.grossExposure * LIMIT_SLACK)
      findings.add(
        'doubled',
        `room was given away twice: ${portfolio} holds ${taken.toFixed(0)} with order ${order_id}`,
      );
  }

  private fold(event: AnyEvent, stream: string): void {
    if (stream.startsWith('order-')) {
      const id = stream.slice('order-'.length);
      const next = evolveOrder(this.orders.get(id), event as never);
      if (next) this.orders.set(id, next);
    }
    if (stream.startsWith('portfolio-')) {
      const name = stream.slice('portfolio-'.length);
      this.portfolios.set(name, evolvePortfolio(this.portfolios.get(name), event as never));
    }
    if (event.type === 'consensus.opened')
      this.windows.set(event.data.windowId, { token: event.data.token, closesAt: event.data.closesAt });
    if (event.type === 'trade.consensus_approved' || event.type === 'signal.consensus_failed')
      this.windows.delete(String((event.data as { windowId?: string }).windowId));
    if (event.type === 'trade.force_close')
      this.closings.set(event.data.portfolio, { stage: event.data.stage, at: event.occurredAt });
  }
}

/** True for an event that is appended to a stream, and relayed from there. */
export const isStoreFirst = (type: AnyEvent['type']): boolean => CATALOG[type].store === 'stream';
