import type { AnyEvent } from '@moon/events';
import type { LogRow } from '@moon/kernel';
import { treeOf, type TraceNode } from './cause-tree';

const row = (seq: number, id: string, causationId: string | null, occurredAt = 0): LogRow => ({
  seq,
  event: { id, causationId, occurredAt, type: 'price.tick' } as AnyEvent,
});

const shape = ({ row: { event }, children }: TraceNode): string =>
  children.length === 0 ? event.id : `${event.id}(${children.map(shape).join(' ')})`;

describe('the tree of causes', () => {
  it('does not mind that what came of an event is in the log before it, as the log of many processes has it', () => {
    const rows = [
      row(1, 'fill', 'order', 30),
      row(2, 'order', 'signal', 20),
      row(3, 'late', 'tick', 25),
      row(9, 'tick', null),
      row(5, 'signal', 'tick', 10),
    ];
    const { roots, path } = treeOf(rows[0]!, rows, false);
    expect(roots.map(shape)).toEqual(['tick(signal(order(fill)) late)']);
    expect(path.map(({ event }) => event.id)).toEqual(['fill', 'order', 'signal', 'tick']);
  });

  it('goes by positions where they are the order', () => {
    const rows = [row(1, 'tick', null), row(2, 'b', 'tick', 9), row(3, 'a', 'tick', 1)];
    expect(treeOf(rows[0]!, rows).roots.map(shape)).toEqual(['tick(b a)']);
    expect(treeOf(rows[0]!, rows, false).roots.map(shape)).toEqual(['tick(a b)']);
  });

  it('ends where causes form a ring, which only damage can bring about', () => {
    const rows = [row(1, 'a', 'c'), row(2, 'b', 'a'), row(3, 'c', 'b'), row(4, 'self', 'self')];
    const { roots, path } = treeOf(rows[1]!, rows, false);
    expect(roots.map(shape).sort()).toEqual(['c(a(b))', 'self']);
    expect(path.map(({ event }) => event.id)).toEqual(['b', 'a', 'c']);
  });
});
