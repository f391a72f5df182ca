// Turns swc's ES module output into CommonJS whose names are bound once: `const { add } = require('../money')`. The usual
// conversion reads every imported name through `_money.add` at every use, and through a getter for each file that passes
// it on; then no call of another file can be inlined, and a replay spends a quarter of its time on finding functions.
// Binding once is the same thing only because imports make no cycle and no exported name is assigned again later: the
// first is a rule of `npm run boundaries`, the second is checked here. Lines stay where they are, for the source maps.

const IMPORT = /^import (?:(\w+)(?:, )?)?(?:\{ ?([^}]*?) ?\}|\* as (\w+))?(?: from )?("[^"]+");$/;
const RE_EXPORT = /^export (?:\{ ?([^}]*?) ?\}|\*(?: as (\w+))?) from ("[^"]+");$/;
const NAMES = /^((?:.*\*\/ )?)export \{ ?([^}]*?) ?\};$/;
const DECLARATION = /^((?:.*\*\/ )?)export ((?:async )?function\*? |class |const )(\w+)/;
/** A package's default export; one that is no ES module is its own. */
const DEFAULT = '((found) => found && found.__esModule ? found.default : found)';

/** `a, b as c` as pairs of names. */
const pairs = (list) =>
  list
    .split(',')
    .filter((entry) => entry.trim() !== '')
    .map((entry) => {
      const [from, to = from] = entry.trim().split(' as ');
      return [from, to];
    });

function imported(line) {
  const match = IMPORT.exec(line);
  if (!match) return undefined;
  const [, single, named, all, source] = match;
  const load = `require(${source})`;
  const parts = [];
  if (single !== undefined) parts.push(`const ${single} = ${DEFAULT}(${load});`);
  if (all !== undefined) parts.push(`const ${all} = ${load};`);
  if (named !== undefined) {
    const bound = pairs(named).map(([from, to]) => (from === to ? from : `${from}: ${to}`));
    parts.push(`const { ${bound.join(', ')} } = ${load};`);
  }
  return parts.length > 0 ? parts.join(' ') : `${load};`;
}

function passedOn(line) {
  const match = RE_EXPORT.exec(line);
  if (!match) return undefined;
  const [, named, all, source] = match;
  const load = `require(${source})`;
  if (named !== undefined) {
    const taken = pairs(named).map(([from, to]) => `exports.${to} = found.${from};`);
    return `{ const found = ${load}; ${taken.join(' ')} }`;
  }
  return all === undefined ? `Object.assign(exports, ${load});` : `exports.${all} = ${load};`;
}

const SPREAD = /^( *)\.\.\.\{$/;

/**
 * `...{ a, b }` within an object literal groups members for the reader; at run time it builds an object and copies it member by
 * member. Its members are put where it stands: the same object, many times faster.
 */
function withoutGroups(lines) {
  const open = [];
  return lines.map((line) => {
    const [, indent] = SPREAD.exec(line) ?? [];
    if (indent !== undefined) {
      open.push(indent);
      return '';
    }
    const group = open[open.length - 1];
    if (group === undefined || (line !== `${group}}` && line !== `${group}},`)) return line;
    open.pop();
    return line.slice(group.length + 1);
  });
}

/**
 * @param code ES module as swc prints it: a statement of its own line for each import and export
 * @returns CommonJS with as many lines before its last; throws an Error for what it does not know
 */
export function withDirectBindings(code) {
  const exported = [];
  const lines = code.split('\n').map((line) => {
    const converted = imported(line) ?? passedOn(line);
    if (converted !== undefined) return converted;
    const names = NAMES.exec(line);
    if (names) {
      exported.push(...pairs(names[2]));
      return names[1];
    }
    const declared = DECLARATION.exec(line);
    if (declared) {
      exported.push([declared[3], declared[3]]);
      return line.replace(DECLARATION, '$1$2$3');
    }
    if (/^(?:.*\*\/ )?(?:import|export)\b(?! ?\()/.test(line)) throw new Error(`No rule for this statement: ${line}`);
    return line.replace(/\bimport\(("\.{1,2}\/[^"]+")\)/g, 'Promise.resolve().then(() => require($1))');
  });
  const last = exported.map(([from, to]) => `exports.${to} = ${from};`).join(' ');
  return `"use strict"; Object.defineProperty(exports, "__esModule", { value: true }); ${withoutGroups(lines).join('\n')}\n${last}\n`;
}
