import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { ConfigError, loadConfig } from './load-config';

const schema = Type.Object(
  {
    port: Type.Integer({ default: 3000, minimum: 0, maximum: 65_535, description: 'HTTP port.' }),
    feed: Type.Object(
      {
        kind: Type.String({ default: 'auto' }),
        from: Type.Array(Type.String(), { default: [] }),
        fill: Type.Union([Type.Literal('last'), Type.Literal('next')], { default: 'last' }),
        size: Type.Union([Type.Number({ minimum: 0 }), Type.String({ pattern: '^[0-9]+$' })], { default: 1 }),
        maxAgeMs: Type.Integer({ default: 5 }),
        rows: Type.Array(Type.Object({ name: Type.String() }, { additionalProperties: false }), { default: [] }),
        speed: Type.Optional(Type.Union([Type.Literal('1'), Type.Literal('max')], { description: 'Pace.' })),
      },
      { additionalProperties: false, default: {} },
    ),
  },
  { additionalProperties: false },
);

describe('loadConfig', () => {
  const folder = mkdtempSync(join(tmpdir(), 'moon-config-'));
  const file = join(folder, 'settings.yaml');
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const problemsOf = (sources: Parameters<typeof loadConfig>[1]): readonly string[] => {
    try {
      loadConfig(schema, sources);
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
    return [];
  };

  it('fills defaults; the file goes over them, the environment over the file, flags over all', () => {
    writeFileSync(file, 'port: 1\nfeed:\n  kind: file\n  maxAgeMs: 7\n');
    const env = { MOON_PORT: '2', MOON_FEED__KIND: 'env', MOON_FEED__MAX_AGE_MS: '9', OTHER: 'x' };
    expect(loadConfig(schema, {})).toEqual({
      port: 3000,
      feed: { kind: 'auto', from: [], fill: 'last', size: 1, maxAgeMs: 5, rows: [] },
    });
    expect(loadConfig(schema, { file })).toMatchObject({ port: 1, feed: { kind: 'file', maxAgeMs: 7 } });
    expect(loadConfig(schema, { file, env })).toMatchObject({ port: 2, feed: { kind: 'env', maxAgeMs: 9 } });
    expect(loadConfig(schema, { file, env, flags: { port: '3', 'feed.from': 'a,b' } })).toMatchObject({
      port: 3,
      feed: { from: ['a', 'b'] },
    });
  });

  it('names an unknown key, where it came from, and the nearest right one', () => {
    writeFileSync(file, 'feeed:\n  kind: x\n');
    expect(problemsOf({ file })).toEqual([
      expect.stringMatching(/"feeed" \(file .*\) is not a setting\. Did you mean "feed"\?/),
    ]);
    expect(problemsOf({ flags: { 'feed.knd': 'x' } })).toEqual([expect.stringContaining('Did you mean "feed.kind"?')]);
    expect(problemsOf({ env: { MOON_PROT: '1' } })).toEqual([expect.stringContaining('variable MOON_PROT')]);
  });

  it('names a misspelt key of a list before, and in place of, the required one that it was to be', () => {
    expect(problemsOf({ flags: { 'feed.rows': [{ nmae: 'x' }] } })).toEqual([
      '"feed.rows.0.nmae" (in a list) is not a setting. Did you mean "feed.rows.0.name"?',
    ]);
    expect(problemsOf({ flags: { 'feed.rows': [{ quantity: 1 }] } })).toEqual([
      '"feed.rows.0.quantity" (in a list) is not a setting. Known here: name.',
      expect.stringMatching(/^"feed.rows.0.name" is missing/),
    ]);
  });

  it('names a wrong value, its rule and what the setting means', () => {
    expect(problemsOf({ flags: { port: '99999' } })).toEqual([
      expect.stringMatching(/"port" is 99999: .*65535.*HTTP port/),
    ]);
    expect(problemsOf({ flags: { port: 'many' } })).toEqual([expect.stringContaining('"port" is "many"')]);
    expect(problemsOf({ flags: { 'feed.speed': '3' } })).toEqual([
      '"feed.speed" is "3": expected one of 1, max. Pace.',
    ]);
  });

  it('names the choices of a setting that has several, and the place that a value was set at', () => {
    expect(problemsOf({ set: { 'feed.fill': 'nxt' } })).toEqual(['"feed.fill" is "nxt": expected one of last, next.']);
    for (const size of [-5, '-5', 'much'])
      expect(problemsOf({ set: { 'feed.size': size } })).toEqual([
        expect.stringContaining('expected a number of at least 0'),
      ]);
    expect(problemsOf({ flags: { 'feed.knd': 'x' } })).toEqual([expect.stringContaining('(flag --feed.knd)')]);
    expect(problemsOf({ set: { 'feed.knd': 'x' } })).toEqual([expect.stringContaining('(--set feed.knd)')]);
  });

  it('says which file cannot be read, and why', () => {
    expect(problemsOf({ file: join(folder, 'absent.yaml') })).toEqual([
      `file ${join(folder, 'absent.yaml')} is not there.`,
    ]);
    writeFileSync(file, '- 1\n');
    expect(problemsOf({ file })).toEqual([expect.stringContaining('must hold an object of settings')]);
  });
});
