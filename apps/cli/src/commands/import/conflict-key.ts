import type { AnyEvent } from '@moon/events';

/**
 * What two market facts must not disagree about (rule 3): a candle, funding rate or sentiment reading exists once per
 * instrument or source and instant. null for facts of which there may be several: trades and liquidations.
 */
export function conflictKey(event: AnyEvent): string | null {
  switch (event.type) {
    case 'bar.opened':
    case 'bar.closed':
      return JSON.stringify([event.type, event.data.instrument, event.data.intervalMs, event.occurredAt]);
    case 'funding.update':
      return JSON.stringify([event.type, event.data.instrument, event.occurredAt]);
    case 'market.sentiment':
      return JSON.stringify([event.type, event.data.token, event.data.source, event.data.text, event.occurredAt]);
    default:
      return null;
  }
}

/** The fact of a conflict in words: `BTCUSDT.BINANCE-SPOT bar.closed at 2022-01-01T00:01:00.000Z`. */
export function factName({ type, data, occurredAt }: AnyEvent): string {
  const { instrument, source, token } = data as { instrument?: string; source?: string; token?: string };
  return `${instrument ?? `${token} ${source}`} ${type} at ${new Date(occurredAt).toISOString()}`;
}
