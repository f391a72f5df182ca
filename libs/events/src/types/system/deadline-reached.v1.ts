import { defineEvent } from '../../define';
import { FreeMap, Ms, Str } from '../../fields';

export const deadlineReached = defineEvent({
  type: 'deadline.reached',
  version: 1,
  category: 'system',
  doc: 'A durable deadline fell due (rule 23); delivered only to the handler and key that had set it. An input.',
  topic: 'deadlines.reached',
  key: 'handlerKey',
  fields: {
    handler: Str,
    handlerKey: Str,
    name: Str,
    dueAt: Ms,
    data: FreeMap,
  },
  example: {
    handler: 'saga/consensus',
    handlerKey: 'BTC',
    name: 'window',
    dueAt: 1729950005000,
    data: { windowId: '5b3f1c52-63a1-5d9c-8f7e-1b8a7a6f0c01' },
  },
});
