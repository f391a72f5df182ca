import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Parser } from '@asyncapi/parser';
import { Value } from '@sinclair/typebox/value';
import { createAgents, createDeciders, platformConfigSchema, type PlatformConfig } from '@moon/domain';
import { EVENT_TYPES, TOPICS } from '@moon/events';
import { asyncApiText, groupsOfHandlers } from '@moon/infra';
import { MARKET_TYPES } from '@moon/kernel';

const root = join(__dirname, '../..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const config = Value.Default(platformConfigSchema, {}) as PlatformConfig;
const venue = { name: 'venue', consumes: [...MARKET_TYPES] };
const text = asyncApiText(version, groupsOfHandlers([...createAgents(config), ...createDeciders(config), venue]));

describe('docs/asyncapi.json', () => {
  it('[EVT-6] is what the catalog of events says (npm run asyncapi writes it)', () => {
    expect(readFileSync(join(root, 'docs/asyncapi.json'), 'utf8')).toBe(text);
  });

  it('[EVT-6] passes the official parser, with every topic and event type', async () => {
    const { document, diagnostics } = await new Parser().parse(text);
    const errors = diagnostics
      .filter(({ severity }) => severity === 0)
      .map(({ message, path }) => `${path.join('.')}: ${message}`);
    expect(errors).toEqual([]);
    expect(
      document!
        .channels()
        .all()
        .map((channel) => channel.address())
        .sort(),
    ).toEqual(Object.keys(TOPICS).sort());
    expect(
      document!
        .messages()
        .all()
        .map((message) => message.name())
        .sort(),
    ).toEqual([...EVENT_TYPES].sort());
  });
});
