// Reads the requirement table and the IDs that test titles carry; shared by `npm run requirements` and tests/workshop.

/** @param {string} markdown docs/requirements.md. @returns {Map<string, string>} ID → statement, in the table's order. */
function requirementTable(markdown) {
  const rows = markdown.matchAll(/^\|\s*([A-Z]+\d*-\d+)\s*\|\s*(.*?)\s*\|[^|]*\|\s*$/gm);
  return new Map([...rows].map(([, id, statement]) => [id, statement]));
}

/** @param {string} text @returns {string[]} The IDs in square brackets: `[US1-1]`, `[US1-1][US1-2]` or `[US1-1, US1-2]`. */
function requirementIds(text) {
  const brackets = text.matchAll(/\[([A-Z]+\d*-\d+(?:[,\s]+[A-Z]+\d*-\d+)*)\]/g);
  return [...brackets].flatMap(([, ids]) => ids.split(/[,\s]+/));
}

module.exports = { requirementIds, requirementTable };
