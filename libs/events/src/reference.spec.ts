import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVENT_TYPES } from './catalog';
import { eventReference } from './reference';

describe('event reference', () => {
  it('in docs/events.md is up to date (node scripts/events-reference.mjs writes it)', () => {
    const kept = readFileSync(join(__dirname, '../../../docs/events.md'), 'utf8');
    expect(kept).toBe(eventReference());
  });

  it('describes every event type with its topic', () => {
    const text = eventReference();
    for (const type of EVENT_TYPES) expect(text).toContain(`### \`${type}\``);
    expect(text).not.toMatch(/\| undefined|`undefined`/);
  });
});
