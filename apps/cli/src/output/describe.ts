import type { AnyEvent } from '@moon/events';
import { describeMarket } from './describe-market';
import { describeTrading } from './describe-trading';
import type { Descriptions } from './descriptions';
import { cut, short } from './text';

const DESCRIPTIONS: Descriptions = { ...describeMarket, ...describeTrading };

/** Longest description, characters. */
const LONGEST = 160;

/** One line about an event. */
export function describe(event: AnyEvent): string {
  const describeData = DESCRIPTIONS[event.type] as ((data: AnyEvent['data']) => string) | undefined;
  const text = describeData ? describeData(event.data) : plainFields(event.data);
  return cut(event.headers?.warmup ? `(warm-up) ${text}` : text, LONGEST);
}

const KNOWN_ELSEWHERE = new Set(['event_type', 'timestamp']);

/** `name=value` of every field that is a number, a text or a truth value. */
function plainFields(data: AnyEvent['data']): string {
  return Object.entries(data)
    .filter(([name, value]) => !KNOWN_ELSEWHERE.has(name) && value !== null && typeof value !== 'object')
    .map(([name, value]) => `${name}=${typeof value === 'number' ? short(value) : String(value)}`)
    .join(' ');
}
