import { CATALOG, defaultKey, validateData, type AnyEvent, type EmitData, type EventType } from '@moon/events';
import { createRiskAgent } from '../../agents/risk';
import { createExecution, type ExecutionState } from '../../execution';
import {
  recordOutbox,
  testEvent,
  type AnyCommand,
  type Handler,
  type JsonObject,
  type RecordedOutbox,
} from '../../handler';
import type { ForceCloseConfig } from '../config';
import { createForceCloseSaga } from '../force-close';
import { uuid } from './tools';

export const INSTRUMENT = 'BTC.HYPERLIQUID';
const PORTFOLIO = 'main';
const START = 1_729_960_800_000;

/** What the venue makes of the nth order that reaches it. */
export type VenueAnswer = 'filled' | 'partly' | 'rejected' | 'silent';

/**
 * The real risk agent, owner and force-close saga of one portfolio on one FIFO queue, with durable deadlines, as an
 * engine runs them; around them a sender and a venue that fill at the last price.
 */
export class Flow {
  now = START;
  price = 0;
  readonly log: AnyEvent[] = [];
  private readonly handlers: Handler[];
  private readonly states = new Map<string, unknown>();
  private readonly queue: AnyEvent[] = [];
  private readonly deadlines = new Map<
    string,
    { handler: string; key: string; name: string; at: number; data: JsonObject }
  >();
  private count = 0;
  private venueSeq = 0;

  constructor(
    config: Partial<ForceCloseConfig>,
    private readonly venue: VenueAnswer[] = [],
  ) {
    this.handlers = [createRiskAgent(), createExecution(), createForceCloseSaga(config)];
  }

  /** A long position of 1 BTC from 100,000 with 5× isolated margin: the venue would liquidate it at about 81,000. */
  open(): this {
    const where = { portfolio: PORTFOLIO, timestamp: this.now };
    const instruments = [{ instrument: INSTRUMENT, leverage: 5, priceSource: INSTRUMENT }];
    const account = {
      accountModel: 'margin',
      marginMode: 'isolated',
      settlementAsset: 'USDC',
      ledgerScale: 12,
    } as const;
    const trading = { consensus: true, agents: [], instruments: [] };
    const sizing = { mode: 'fraction', fraction: 0.1, scaleByConfidence: false } as const;
    this.input('portfolio.opened', { ...where, ...account, instruments, subscriptions: trading, limits: {}, sizing });
    this.input('portfolio.deposited', { ...where, amount: '500000', asset: 'USDC' });
    this.input('portfolio.reconciled', { ...where, differences: [] });
    const position = { side: 'long', quantity: '1', price: '100000', margin: '20000' } as const;
    return this.input('portfolio.position_opened', { ...where, token: 'BTC', instrument: INSTRUMENT, ...position });
  }

  tick(price: number): this {
    this.price = price;
    const quote = {
      token: 'BTC',
      price,
      volume_1m: 0,
      instrument: INSTRUMENT,
      kind: 'mark',
      timestamp: this.now,
    } as const;
    return this.input('price.tick', quote);
  }

  /** Lets time pass; deadlines fire at their due times. */
  wait(ms: number): this {
    const until = this.now + ms;
    for (;;) {
      const next = [...this.deadlines.values()].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > until) break;
      this.deadlines.delete(`${next.handler}/${next.key}/${next.name}`);
      this.now = Math.max(this.now, next.at);
      const { handler, key: handlerKey, name, at: dueAt, data } = next;
      this.input('deadline.reached', { handler, handlerKey, name, dueAt, data });
    }
    this.now = until;
    return this;
  }

  input<T extends EventType>(type: T, data: EmitData<T>): this {
    this.push(type, data, 'test');
    for (let event = this.queue.shift(); event !== undefined; event = this.queue.shift()) this.dispatch(event);
    return this;
  }

  of<T extends EventType>(type: T): EmitData<T>[] {
    return this.log.filter((event) => event.type === type).map((event) => event.data as unknown as EmitData<T>);
  }

  get owner(): ExecutionState {
    return this.states.get(`execution/${PORTFOLIO}`) as ExecutionState;
  }

  private push<T extends EventType>(type: T, data: EmitData<T>, source: string, key = defaultKey(type, data)): void {
    validateData(type, { event_type: type, ...data });
    const envelope = { id: uuid(`flow ${(this.count += 1)}`), key, source, schemaVersion: CATALOG[type].schemaVersion };
    const event = testEvent(type, this.now, data, envelope);
    this.log.push(event);
    this.queue.push(event);
  }

  private dispatch(event: AnyEvent): void {
    for (const handler of this.handlers) {
      const isAddressed = event.type === 'deadline.reached' && event.data.handler === handler.name;
      const isKeyed = handler.consumes.includes(event.type) && event.key === PORTFOLIO;
      if (!isAddressed && !isKeyed && !handler.broadcast?.includes(event.type)) continue;
      this.run(handler, (state, out) => handler.handle(event, state, out));
    }
    if (event.type === 'order.approved') this.send(event.data.order_id);
    if (event.type === 'trade.force_close' && event.data.stage === 'flat')
      this.push('portfolio.reconciled', { portfolio: PORTFOLIO, differences: [], timestamp: this.now }, 'reconciler');
  }

  private run(handler: Handler, act: (state: unknown, out: RecordedOutbox) => void): void {
    const place = `${handler.name}/${PORTFOLIO}`;
    const state = this.states.get(place) ?? handler.initialState(PORTFOLIO);
    const out = recordOutbox(this.now, PORTFOLIO);
    act(state, out);
    this.states.set(place, JSON.parse(JSON.stringify(state)));
    for (const name of out.cancelled) this.deadlines.delete(`${place}/${name}`);
    for (const one of out.scheduled) this.deadlines.set(`${place}/${one.name}`, { handler: handler.name, ...one });
    for (const { type, data, key } of out.emitted) this.push(type, data as never, handler.name, key ?? undefined);
    for (const command of out.commands) this.execute(command);
  }

  private execute(command: AnyCommand): void {
    const owner = this.handlers.find((handler) => handler.commands?.includes(command.type))!;
    this.run(owner, (state, out) => owner.execute!(command, state, out));
  }

  /** The sender stores what it sends, then the venue answers. */
  private send(orderId: string): void {
    const sent = { attempt: 1, clientOrderId: orderId, nonce: (this.count += 1), expiresAt: this.now + 60_000 };
    const order = { order_id: orderId, portfolio: PORTFOLIO, timestamp: this.now };
    this.push('order.submitted', { ...order, ...sent, payload: '{}', signature: 'ab' }, 'sender');
    const { side, quantity } = this.owner.orders[orderId]!;
    const terms = { order_id: orderId, instrument: INSTRUMENT, token: 'BTC', side };
    const answer = this.venue.shift() ?? 'filled';
    if (answer === 'silent')
      return this.push('order.outcome_unknown', { ...order, attempt: 1, detail: 'timed out' }, 'sender');
    if (answer === 'rejected')
      return this.report({ kind: 'rejected', code: 'no_liquidity', message: 'no bids', ...terms });
    const amount = answer === 'partly' ? String(Number(quantity) / 2) : quantity;
    this.fillOrder(orderId, amount);
    if (answer === 'partly') this.report({ kind: 'cancelled', code: 'ioc', ...terms });
  }

  /** The venue fills so much of an order at the last price. */
  fillOrder(orderId: string, quantity: string): void {
    const { side } = this.owner.orders[orderId]!;
    const terms = { order_id: orderId, instrument: INSTRUMENT, token: 'BTC', side, venueOrderId: `v-${orderId}` };
    const money = { price: String(this.price), quantity, fee: '1', feeAsset: 'USDC', liquidity: 'taker' } as const;
    this.report({ kind: 'filled', fillId: `fill-${this.venueSeq + 1}`, ...terms, ...money });
  }

  /** Has everything handled that was pushed from outside. */
  settle(): this {
    return this.tick(this.price);
  }

  private report(
    report: Omit<EmitData<'venue.report'>, 'portfolio' | 'venue' | 'reportId' | 'venueSeq' | 'timestamp'>,
  ): void {
    const venueSeq = (this.venueSeq += 1);
    const head = { portfolio: PORTFOLIO, venue: 'paper', reportId: `r-${venueSeq}`, venueSeq, timestamp: this.now };
    this.push('venue.report', { ...head, ...report }, 'venue');
  }
}
