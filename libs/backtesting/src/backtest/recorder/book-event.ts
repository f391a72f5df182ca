import type { AnyEvent } from '@moon/events';

/** Events of one portfolio that move its books. */
export type BookEvent = Extract<
  AnyEvent,
  {
    type:
      | 'portfolio.deposited'
      | 'portfolio.withdrawn'
      | 'portfolio.position_opened'
      | 'portfolio.fill_booked'
      | 'portfolio.funding_booked'
      | 'portfolio.liquidated'
      | 'position.closed';
  }
>;
