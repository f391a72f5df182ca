import type { Limit } from './limit';
import { LIMITS_OF_EXPOSURE } from './limits-of-exposure';
import { LIMITS_OF_ORDER } from './limits-of-order';
import { LIMITS_OF_STATE } from './limits-of-state';

/**
 * Every limit that an order must keep, as data. All are judged for every order, in this order; nothing goes around them.
 * A limit never throws and never looks beyond its facts.
 */
export const LIMITS: readonly Limit[] = [...LIMITS_OF_STATE, ...LIMITS_OF_ORDER, ...LIMITS_OF_EXPOSURE];
