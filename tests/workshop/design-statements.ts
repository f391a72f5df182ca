export interface Statement {
  /** The nearest heading above, e.g. "Story 2: Multi-Signal Consensus Trading". */
  section: string;
  /** The statement's line, trimmed, with its bullet or number. */
  text: string;
  /** 1-based line in the design document. */
  line: number;
}

/** Sections that explain rather than demand; their ✓ bullets are arguments for a choice. */
const explaining = /^(Decision \d+:|⚡|TABLE OF CONTENTS)/;
const bullet = /^(✓|\d+\.|-)\s/;
const condition = /^(AND\s+|OR\s+)?(WHEN|IF|AFTER|FOR)\b/;
/** `t=20ms:  Trading Agent …` and `WHEN:` / `THEN:` of the event taxonomy. */
const stamp = /^t=\d+ms:\s+/;

/**
 * Every statement of the design document that demands something: the SHALL sentences, and the THEN / AND / ELSE lines,
 * ✓ bullets, "-" bullets and numbered steps of the specification blocks, and the acceptance criteria. Conditions
 * (WHEN, IF, AFTER and the AND lines that continue them), JSON samples and the reasons of decisions are left out.
 */
export function designStatements(markdown: string): Statement[] {
  const statements: Statement[] = [];
  let section = '';
  let fence: string | null = null;
  let isSample = false;
  let isCondition = false;

  markdown.split('\n').forEach((raw, index) => {
    const text = raw.trim().replace(stamp, '');
    const add = () => statements.push({ section, text, line: index + 1 });
    const heading = /^#{2,4}\s+(.*)$/.exec(raw);
    if (fence === null && heading) section = heading[1] ?? '';
    if (raw.startsWith('```')) {
      fence = fence === null ? raw.slice(3) : null;
      isSample = false;
      isCondition = false;
      return;
    }
    if (text === '' || explaining.test(section)) return;
    if (fence === null) {
      if (text.startsWith('- ✓') || text.includes('SHALL')) add();
      return;
    }
    if (fence !== '') return;

    // A JSON sample runs from "Structure:" to the next event.
    if (/^(Event|CATEGORY)\b/.test(text)) isSample = false;
    if (text.startsWith('Structure:')) isSample = true;
    if (isSample || text.startsWith('Event:')) return;

    if (text.includes('SHALL')) {
      isCondition = false;
      add();
    } else if (bullet.test(text)) {
      isCondition = false;
      add();
    } else if (condition.test(text)) {
      isCondition = true;
    } else if (/^(THEN|ELSE)\b/.test(text)) {
      isCondition = /^ELSE\s+IF\b/.test(text);
      if (!isCondition && text !== 'THEN') add();
    } else if (/^(AND|WITHOUT)\b/.test(text) && !isCondition) {
      add();
    } else if (/^(REQUIREMENT|SELECTED|TOTAL LATENCY|\(event store write)/.test(text)) {
      add();
    }
  });
  return statements;
}
