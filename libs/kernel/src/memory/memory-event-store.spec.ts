import { describeEventStore } from '../contracts/event-store.contract';
import { MemoryEventStore } from './memory-event-store';

describeEventStore({
  name: 'in memory',
  isShared: false,
  create: () => Promise.resolve({ store: new MemoryEventStore(), close: () => Promise.resolve() }),
});
