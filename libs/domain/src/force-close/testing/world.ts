import { validateData, type AnyEvent, type EmitData, type EventType } from '@moon/events';
import { recordOutbox, testEvent, type AnyCommand, type ClosePosition, type Handler } from '../../handler';
import { abs, add, cmp, isZero, min, neg, sign, sub, type Decimal } from '../../money';
import type { ForceCloseConfig } from '../config';
import { createForceCloseSaga } from '../force-close';
import { half, reload, tokenOf, uuid } from './tools';
import type { ForceCloseState } from '../state';

export const PORTFOLIO = 'main';
/** 2024-10-26T16:40:00Z */
export const T0 = 1_729_960_800_000;
const DAY_MS = 86_400_000;

interface SimulatedOrder {
  instrument: string;
  side: 'buy' | 'sell';
  quantity: Decimal;
  filled: Decimal;
  isClosing: boolean;
  isOver: boolean;
}

export type ForceCloseStage = EmitData<'trade.force_close'>['stage'];

export interface WorldOptions {
  config?: Partial<ForceCloseConfig>;
  positions?: Record<string, Decimal>;
  /** Resting orders (buy) that are open when danger comes: id → quantity. */
  orders?: Record<string, Decimal>;
  /** Choices of bad luck, used up one by one; 0, and everything after the end, is good luck. */
  luck?: readonly number[];
  /** What happens to every closing order, for good. */
  closing?: 'rejected' | 'unanswered';
  /** Delivers the nth event to the saga `late` ms later, and once more when `twice`. */
  disturb?: { nth: number; late: number; twice: boolean };
  triggers?: (world: World) => void;
}

/**
 * A tiny owner (orders, positions, halts of one portfolio), its venue and its risk agent around one force-close saga,
 * with bad luck on request: late, doubled and re-ordered events, partial fills, rejections, unknown outcomes, lost
 * cancels, halts that take their time, reconciliations that never come or differ. After every event the saga's state
 * goes through JSON with its keys in another order, as after a crash and a reload from a store. The deadlines survive.
 */
export class World {
  now = T0;
  readonly reports: { stage: ForceCloseStage; at: number; reason: string }[] = [];
  readonly commands: { command: AnyCommand; at: number }[] = [];
  readonly problems: string[] = [];
  readonly positions: Record<string, Decimal>;
  readonly orders = new Map<string, SimulatedOrder>();
  delivered = 0;
  isHalted = false;
  /** Danger and all-clear that the saga has heard of: instrument → latest time. */
  private readonly dangers = new Map<string, number>();
  private readonly clearances = new Map<string, number>();
  state: ForceCloseState;
  private readonly saga: Handler<ForceCloseState>;
  private readonly luck: number[];
  private tasks: { at: number; order: number; run: () => void }[] = [];
  private deadlines = new Map<string, { at: number; data: object }>();
  private sequence = 0;
  private sagaNow = 0;

  constructor(private readonly options: WorldOptions) {
    this.saga = createForceCloseSaga(options.config);
    this.state = this.saga.initialState(PORTFOLIO);
    this.luck = [...(options.luck ?? [])];
    this.positions = { ...(options.positions ?? { 'BTC.X': '1' }) };
    for (const [instrument, quantity] of Object.entries(this.positions)) {
      const side = sign(quantity) > 0 ? 'long' : 'short';
      const size = { side, quantity: abs(quantity), price: '50000' } as const;
      this.publish('portfolio.position_opened', {
        portfolio: PORTFOLIO,
        token: tokenOf(instrument),
        instrument,
        ...size,
        timestamp: T0,
      });
    }
    for (const [orderId, quantity] of Object.entries(options.orders ?? {}))
      this.request(orderId, { instrument: 'BTC.X', side: 'buy', quantity, isClosing: false });
    this.after(10, () => (options.triggers ? options.triggers(this) : this.endanger()));
  }

  /** Runs until nothing is left to happen, the saga has released trading, or a day has passed. */
  run(until = T0 + DAY_MS): this {
    for (let steps = 0; steps < 50_000; steps += 1) {
      this.tasks.sort((a, b) => a.at - b.at || a.order - b.order);
      const task = this.tasks[0];
      const [name, deadline] = [...this.deadlines].sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
      if (Math.min(task?.at ?? Infinity, deadline?.at ?? Infinity) > until) return this;
      if (name !== undefined && deadline && deadline.at < (task?.at ?? Infinity)) {
        this.now = Math.max(this.now, deadline.at);
        this.deadlines.delete(name);
        const data = { handler: this.saga.name, handlerKey: PORTFOLIO, name, dueAt: deadline.at, data: deadline.data };
        this.deliver(testEvent('deadline.reached', deadline.at, data as EmitData<'deadline.reached'>));
      } else if (task) {
        this.tasks.shift();
        this.now = Math.max(this.now, task.at);
        task.run();
      } else return this;
    }
    throw new Error('The world does not come to rest.');
  }

  /** The risk agent's report of danger; it is cleared some time after the position is gone. */
  endanger(instrument = 'BTC.X'): void {
    const numbers = { distance: 0.05, bound: 0.1, markPrice: 50_000, liquidationPrice: 47_500 };
    const kind = { violation_type: 'liquidation_risk', action_required: 'force_close' } as const;
    const where = { portfolio: PORTFOLIO, token: tokenOf(instrument), instrument };
    this.publish('risk.critical', {
      ...where,
      ...kind,
      ...numbers,
      message: `${instrument} is close to liquidation`,
      timestamp: this.now,
    });
    this.clearWhenGone(instrument);
  }

  publish<T extends EventType>(type: T, data: EmitData<T>): void {
    validateData(type, { event_type: type, ...data });
    const event = testEvent(type, this.now, data, { id: this.nextId(), key: PORTFOLIO });
    this.after(this.pick([0, 0, 0, 3, 40, 900]), () => this.deliver(event));
    const copyAfter = this.pick([null, null, 0, 70, 2_000]);
    if (copyAfter !== null) this.after(copyAfter, () => this.deliver(event));
  }

  get stages(): ForceCloseStage[] {
    return this.reports.map(({ stage }) => stage);
  }

  get isFlat(): boolean {
    return Object.values(this.positions).every(isZero) && [...this.orders.values()].every((order) => order.isOver);
  }

  private clearWhenGone(instrument: string): void {
    this.after(1_000, () => {
      if (!isZero(this.positions[instrument] ?? '0')) return this.clearWhenGone(instrument);
      const clears = [{ violation_type: 'liquidation_risk', token: tokenOf(instrument), instrument }] as const;
      this.publish('risk.ok', { portfolio: PORTFOLIO, clears: [...clears], message: 'gone', timestamp: this.now });
    });
  }

  private deliver(event: AnyEvent): void {
    const { disturb } = this.options;
    const nth = event.type === 'deadline.reached' ? -1 : this.delivered++;
    if (disturb && nth === disturb.nth) {
      this.after(disturb.late, () => this.handle(event));
      if (!disturb.twice) return;
    }
    this.handle(event);
  }

  private handle(event: AnyEvent): void {
    if (event.type === 'risk.critical') later(this.dangers, event.data.instrument, event.occurredAt);
    if (event.type === 'risk.ok')
      for (const { instrument } of event.data.clears) later(this.clearances, instrument!, event.occurredAt);
    this.sagaNow = Math.max(this.sagaNow, event.occurredAt);
    const out = recordOutbox(this.sagaNow, PORTFOLIO);
    this.saga.handle(event, this.state, out);
    this.state = reload(this.state);
    for (const name of out.cancelled) this.deadlines.delete(name);
    for (const { name, at, data } of out.scheduled) this.deadlines.set(name, { at, data });
    for (const { type, data } of out.emitted) {
      validateData(type, { event_type: type, ...data });
      if (type === 'trade.force_close') this.reported(data);
    }
    for (const command of out.commands) this.execute(command);
  }

  private reported({ stage, reason, timestamp }: EmitData<'trade.force_close'>): void {
    this.reports.push({ stage, at: timestamp, reason });
    if (stage === 'failed' && !this.isHalted) this.problems.push('failed, but trading is not halted');
    if (stage === 'released' && !this.isFlat) this.problems.push('released, but not flat');
    if (stage === 'flat') this.reconcile();
  }

  private reconcile(): void {
    const how = this.pick(['well', 'never', 'differs'] as const);
    if (how === 'never') return;
    this.after(20, () => {
      const differences = this.isFlat && how === 'well' ? [] : ['the books differ'];
      this.publish('portfolio.reconciled', { portfolio: PORTFOLIO, differences, timestamp: this.now });
    });
  }

  private execute(command: AnyCommand): void {
    this.commands.push({ command, at: this.now });
    if (command.type === 'RaiseHalt') this.after(this.pick([0, 2_500]), () => this.setHalt(true, command));
    else if (command.type === 'LiftHalt') {
      if (!this.isFlat) this.problems.push('the halt is to be lifted while not flat');
      const isInDanger = [...this.dangers].some(([instrument, at]) => at > (this.clearances.get(instrument) ?? 0));
      if (isInDanger) this.problems.push('the halt is to be lifted before risk.ok');
      if (this.pick([false, true])) return;
      this.setHalt(false, command);
    } else {
      if (!this.isHalted) this.problems.push(`${command.type} before the halt`);
      if (command.type === 'CancelOrder') this.after(5, () => this.cancel(command.orderId));
      if (command.type === 'ClosePosition') this.close(command);
    }
  }

  private setHalt(on: boolean, { source, reason }: { source: string; reason: string }): void {
    if (this.isHalted === on) return;
    this.isHalted = on;
    const data = { source, scope: 'portfolio', portfolio: PORTFOLIO, reason, timestamp: this.now } as const;
    this.publish(on ? 'halt.raised' : 'halt.lifted', data);
  }

  private cancel(orderId: string): void {
    const order = this.orders.get(orderId);
    if (!order || order.isOver) return;
    const what = this.pick(['cancelled', 'filled', 'partly', 'lost'] as const);
    if (what === 'lost') return;
    if (what === 'filled') return this.fill(orderId, sub(order.quantity, order.filled));
    if (what === 'partly') this.fill(orderId, half(sub(order.quantity, order.filled)));
    this.end(orderId, 'trade.cancelled');
  }

  /** What the owner of the portfolio does: quantity = position − reducing orders in flight; nothing when that is nothing. */
  private close({ instrument, sagaId, attempt }: ClosePosition): void {
    const seen = Object.values(this.state.orders).some((order) => order.isClosing && order.instrument === instrument);
    if (seen) this.problems.push(`${instrument} is to be closed twice at once`);
    const held = this.positions[instrument] ?? '0';
    const inFlight = [...this.orders.values()]
      .filter((order) => order.instrument === instrument && order.isClosing && !order.isOver)
      .reduce((sum, order) => add(sum, sub(order.quantity, order.filled)), '0');
    const quantity = sub(abs(held), inFlight);
    if (sign(quantity) <= 0) return;
    const orderId = uuid(`${sagaId}/${instrument}/${attempt}`);
    if (this.orders.has(orderId)) this.problems.push(`attempt ${attempt} for ${instrument} comes twice`);
    this.request(orderId, { instrument, side: sign(held) > 0 ? 'sell' : 'buy', quantity, isClosing: true });
    this.after(15, () => this.answer(orderId));
  }

  /** What the venue makes of a closing order. */
  private answer(orderId: string): void {
    const order = this.orders.get(orderId)!;
    if (order.isOver) return;
    const left = sub(order.quantity, order.filled);
    if (this.options.closing === 'unanswered') return;
    if (this.options.closing === 'rejected') return this.end(orderId, 'trade.rejected');
    switch (this.pick(['filled', 'partly', 'rejected', 'unknown', 'expired', 'in two'] as const)) {
      case 'partly':
        this.fill(orderId, half(left));
        return this.end(orderId, 'trade.cancelled');
      case 'rejected':
        return this.end(orderId, 'trade.rejected');
      case 'unknown':
        return this.after(4_000, () => this.answer(orderId));
      case 'expired':
        return this.end(orderId, 'trade.expired');
      case 'in two':
        this.fill(orderId, half(left));
        return this.after(30, () => {
          if (!order.isOver) this.fill(orderId, sub(order.quantity, order.filled));
        });
      case 'filled':
        return this.fill(orderId, left);
    }
  }

  private request(orderId: string, terms: Omit<SimulatedOrder, 'filled' | 'isOver'>): void {
    const { instrument, side, quantity, isClosing } = terms;
    this.orders.set(orderId, { ...terms, filled: '0', isOver: false });
    const ids = {
      order_id: orderId,
      portfolio: PORTFOLIO,
      token: tokenOf(instrument),
      instrument,
      approvalId: uuid('approval'),
    };
    const kind = { order_type: 'MARKET', timeInForce: 'IOC', reduceOnly: isClosing } as const;
    const origin = isClosing
      ? ({ priority: 'force_close', origin: 'force_close' } as const)
      : ({ priority: 'normal', origin: 'consensus' } as const);
    const rest = { referencePrice: 50_000, reservation: { notional: '0' }, sizing: {}, timestamp: this.now };
    this.publish('order.requested', { ...ids, side, quantity, ...kind, ...origin, ...rest });
  }

  private fill(orderId: string, quantity: Decimal): void {
    const order = this.orders.get(orderId)!;
    const { instrument, side } = order;
    const held = this.positions[instrument] ?? '0';
    // The venue keeps reduce-only: what would open the other side is not filled, and ends the order.
    const amount = order.isClosing ? min(quantity, abs(held)) : quantity;
    const isCut = cmp(amount, quantity) < 0;
    const others = [...this.orders.values()].some((other) => other.instrument === instrument && !other.isClosing);
    if (isCut && !others) this.problems.push(`more of ${instrument} was to be closed than there was`);
    if (isZero(amount)) return this.end(orderId, 'trade.cancelled');
    order.filled = add(order.filled, amount);
    this.positions[instrument] = add(held, side === 'buy' ? amount : neg(amount));
    order.isOver = cmp(order.filled, order.quantity) === 0;
    const ids = {
      order_id: orderId,
      portfolio: PORTFOLIO,
      token: tokenOf(instrument),
      instrument,
      fillId: this.nextId(),
    };
    const money = {
      fill_price: 50_000,
      filled_amount: Number(amount),
      price: '50000',
      fee: '0',
      feeAsset: 'USDC',
      liquidity: 'taker',
    } as const;
    const status = order.isOver ? 'FILLED' : 'PARTIALLY_FILLED';
    const size = { side, quantity: amount, cumulativeQuantity: order.filled, status } as const;
    this.publish('trade.executed', { ...ids, ...money, ...size, timestamp: this.now });
    if (isCut) this.end(orderId, 'trade.cancelled');
  }

  private end(orderId: string, type: 'trade.rejected' | 'trade.cancelled' | 'trade.expired'): void {
    const order = this.orders.get(orderId)!;
    order.isOver = true;
    const { instrument, filled } = order;
    const ids = { order_id: orderId, portfolio: PORTFOLIO, token: tokenOf(instrument), timestamp: this.now };
    if (type === 'trade.rejected')
      this.publish(type, { ...ids, instrument, reason: 'no_liquidity', message: 'no', stage: 'venue' });
    else if (type === 'trade.cancelled') this.publish(type, { ...ids, filledQuantity: filled, reason: 'ioc' });
    else this.publish(type, { ...ids, filledQuantity: filled });
  }

  /** A choice of luck: the first is the good one. */
  private pick<T>(choices: readonly T[]): T {
    const index = (this.luck.shift() ?? 0) % choices.length;
    return choices[index]!;
  }

  after(ms: number, run: () => void): void {
    this.tasks.push({ at: this.now + ms, order: (this.sequence += 1), run });
  }

  private nextId(): string {
    return uuid(`event ${(this.sequence += 1)}`);
  }
}

function later(times: Map<string, number>, instrument: string, at: number): void {
  times.set(instrument, Math.max(at, times.get(instrument) ?? 0));
}
