import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requirementIds, requirementTable } from '../../scripts/requirement-table.cjs';
import { readText, root, specFiles } from './repository';

/** Focused, skipped and empty tests, however the call is written. */
const focusedOrSkipped =
  /\b(?:it|test|describe)(?:\.\w+|\([^()]*\))*\.(?:only|skip|todo|failing)\b|\b(?:fit|fdescribe|xit|xtest|xdescribe)\s*[(.`]/;

describe('test titles', () => {
  const table = requirementTable(readText('docs/requirements.md'));

  it('name only requirement IDs that the table has', () => {
    const unknown = specFiles().flatMap((path) =>
      requirementIds(readText(path))
        .filter((id) => !table.has(id))
        .map((id) => `${path}: [${id}]`),
    );

    expect(table.size).toBe(116);
    expect(unknown).toEqual([]);
  });

  it('belong to tests that all run: none is focused, skipped or left empty', () => {
    const found = specFiles().flatMap((path) =>
      readText(path)
        .split('\n')
        .flatMap((line, index) => (focusedOrSkipped.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
    );

    expect(found).toEqual([]);
  });

  it('would be caught when focused or skipped', () => {
    const planted = ['only', 'skip', 'todo'].flatMap((how) => [`it.${how}('x')`, `describe.each([]).${how}`]);

    expect(planted.filter((code) => focusedOrSkipped.test(code))).toEqual(planted);
    expect(['x', 'f'].map((letter) => focusedOrSkipped.test(`${letter}it('y')`))).toEqual([true, true]);
    expect(focusedOrSkipped.test("it('skips what was handled', () => exit(1))")).toBe(false);
  });
});

describe('npm run requirements', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'moon-requirements-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const requirements = (...flags: string[]): string =>
    execFileSync(process.execPath, [join(root, 'scripts/requirements.mjs'), ...flags], {
      encoding: 'utf8',
      env: { ...process.env, MOON_TEST_RESULTS: folder },
    });
  const record = (suite: string, tests: Record<string, 'passed' | 'failed' | 'pending'>) => {
    const entries = Object.entries(tests).map(([title, status]) => ({ title, status }));
    const files = [{ file: `${suite}.spec.ts`, tests: entries }];
    writeFileSync(join(folder, `${suite}.json`), JSON.stringify({ suite, ranAt: 'now', files }));
  };
  const [first, second, third] = ['SYS-1', 'SYS-2', 'SYS-3'];

  it('holds an ID that a passing test carries, in any suite, and no ID that a failing test carries', () => {
    record('unit', { [`a [${first}] starts`]: 'passed', [`b [${second}]`]: 'passed', [`c [${third}]`]: 'pending' });
    record('data', { [`d [${first}, ${second}] stops`]: 'failed', [`e [${third}] again`]: 'passed' });

    expect(JSON.parse(requirements('--json'))).toEqual({
      total: 116,
      held: 1,
      ids: { [third]: [`e [${third}] again`] },
    });
  });

  it('lists what is held with its titles, and what is not', () => {
    record('unit', { [`a [${first}] starts`]: 'passed', [`b [${second}]`]: 'failed' });

    const lines = requirements().split('\n');

    expect(lines).toContain(`    ✓ a [${first}] starts`);
    expect(lines).toContain(`${second}  ✗ b [${second}]`);
    expect(lines).toContain('1 of 116 requirements held');
  });
});
