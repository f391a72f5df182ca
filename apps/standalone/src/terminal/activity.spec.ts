import type { AnyEvent } from '@moon/events';
import { Activity } from './activity';

const T0 = 1_729_950_000_000;

function halt(type: 'halt.raised' | 'halt.lifted', reason: string, source = 'reconciliation'): AnyEvent {
  const id = `${type}-${reason}`;
  return {
    ...{ id, type, schemaVersion: 1, source: 'execution', key: 'portfolio', occurredAt: T0, correlationId: id },
    ...{ causationId: null, headers: { mode: 'live' } },
    data: { event_type: type, source, scope: 'portfolio', portfolio: 'main', reason, timestamp: T0 },
  } as AnyEvent;
}

describe('Activity', () => {
  const notesOf = (...events: AnyEvent[]): string[] => {
    const activity = new Activity();
    for (const event of events) activity.watch(event);
    return activity.notes.map(({ text }) => text);
  };

  it('tells of a start that compares its books without crying halt', () => {
    const told = notesOf(halt('halt.raised', 'not_compared_yet'), halt('halt.lifted', 'not_compared_yet'));
    expect(told).toEqual(['comparing the books of main with the venue']);
  });

  it('names a limit that halts once', () => {
    expect(notesOf(halt('halt.raised', 'daily_loss', 'risk:daily_loss'))).toEqual(['HALT main by risk:daily_loss']);
    expect(notesOf(halt('halt.raised', 'BTC', 'risk:price_move'))).toEqual(['HALT main by risk:price_move: BTC']);
  });

  it('tells of books that differ as the halt that it is', () => {
    const told = notesOf(halt('halt.raised', 'books_differ'), halt('halt.lifted', 'books_differ'));
    expect(told).toEqual(['HALT main by reconciliation: books_differ', 'halt of reconciliation lifted']);
  });
});
