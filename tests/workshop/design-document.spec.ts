import { requirementTable } from '../../scripts/requirement-table.cjs';
import { designStatements } from './design-statements';
import { foldersIn, readJson, readText, repositoryFiles } from './repository';

/** Section → statement → requirement IDs and ADRs ("ADR-0003") that answer for it. */
type ShallMap = Record<string, Record<string, string[]>>;

describe('the design document', () => {
  const markdown = readText('docs/system-design-document.md');
  const statements = designStatements(markdown);
  const map = readJson<ShallMap>('docs/shall-map.json');
  const table = requirementTable(readText('docs/requirements.md'));
  const adrs = new Set(
    repositoryFiles().flatMap((path) => {
      const number = /^docs\/adr\/(\d{4})-[^/]+\.md$/.exec(path)?.[1];
      return number === undefined ? [] : [`ADR-${number}`];
    }),
  );

  it('is read completely: no SHALL escapes the reader', () => {
    const read = new Set(statements.map(({ line }) => line));
    const escaped = markdown
      .split('\n')
      .map((text, index) => ({ text: text.trim(), line: index + 1 }))
      .filter(({ text, line }) => text.includes('SHALL') && !read.has(line));

    expect(escaped).toEqual([]);
    expect(statements.filter(({ text }) => text.includes('SHALL')).length).toBeGreaterThanOrEqual(112);
  });

  it('has every statement mapped to a requirement or an ADR', () => {
    const unmapped = statements.filter(({ section, text }) => !map[section]?.[text]?.length);

    expect(unmapped).toEqual([]);
  });

  it('is mapped to requirements and ADRs that exist', () => {
    const dangling = Object.values(map)
      .flatMap((section) => Object.entries(section))
      .flatMap(([text, targets]) => targets.map((target) => ({ text, target })))
      .filter(({ target }) => !table.has(target) && !adrs.has(target));

    expect(dangling).toEqual([]);
  });

  it('has no mapping for a statement that it does not make', () => {
    const made = new Set(statements.map(({ section, text }) => `${section} › ${text}`));
    const stale = Object.entries(map)
      .flatMap(([section, entries]) => Object.keys(entries).map((text) => `${section} › ${text}`))
      .filter((key) => !made.has(key));

    expect(stale).toEqual([]);
  });

  it('would fail on a statement that nobody mapped', () => {
    const planted = `${markdown}\n### Planted\n\n\`\`\`\nThe system SHALL brew coffee:\n  ✓ black\n  1. with milk\n\`\`\`\n`;
    const unmapped = designStatements(planted).filter(({ section, text }) => !map[section]?.[text]);

    expect(unmapped.map(({ text }) => text)).toEqual(['The system SHALL brew coffee:', '✓ black', '1. with milk']);
  });
});

describe('the decision records', () => {
  const records = repositoryFiles().filter((path) => path.startsWith('docs/adr/') && path.endsWith('.md'));

  it('are numbered without a gap or a repeat', () => {
    const numbers = records.map((path) => Number(path.slice('docs/adr/'.length).split('-')[0]));

    expect(foldersIn('docs/adr')).toEqual([]);
    expect(numbers.sort((a, b) => a - b)).toEqual(numbers.map((_, index) => index + 1));
  });

  it('each say the context, the decision, the alternative that lost, and the consequences', () => {
    const sections = ['## Context', '## Decision', '## Alternative that lost', '## Consequences'];
    const incomplete = records.flatMap((path) => {
      const text = readText(path);
      const title = /^# (\d{4})\. \S/.exec(text)?.[1];
      const missing = sections.filter((section) => !text.includes(`\n${section}\n`));
      if (title === undefined || !path.includes(`/${title}-`)) missing.unshift('# NNNN. Title, as in the file name');
      return missing.length > 0 ? [{ path, missing }] : [];
    });

    expect(incomplete).toEqual([]);
  });
});
