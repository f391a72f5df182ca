// Writes docs/asyncapi.json from the catalog of events and the handlers: `npm run asyncapi`.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
await build({ quiet: true });
const require = createRequire(import.meta.url);
require('reflect-metadata');
const { Value } = require('@sinclair/typebox/value');
const { asyncApiText, groupsOfHandlers } = require(join(root, 'dist/libs/infra/src/kafka/asyncapi.js'));
const { createAgents, createDeciders, platformConfigSchema } = require(join(root, 'dist/libs/domain/src/index.js'));
const { MARKET_TYPES } = require(join(root, 'dist/libs/kernel/src/index.js'));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const config = Value.Default(platformConfigSchema, {});
const venue = { name: 'venue', consumes: [...MARKET_TYPES] };
const groups = groupsOfHandlers([...createAgents(config), ...createDeciders(config), venue]);
writeFileSync(join(root, 'docs/asyncapi.json'), asyncApiText(version, groups));
