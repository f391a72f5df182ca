const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Markup that may stand in the page as it is; a plain string never is one, so it cannot be forgotten to escape. */
export class Html {
  constructor(readonly text: string) {}
}

export type Part = Html | string | number | readonly Html[];

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);

/** A template of markup: every value is escaped unless it is markup itself. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = strings[0] ?? '';
  parts.forEach((part, i) => {
    text += written(part) + (strings[i + 1] ?? '');
  });
  return new Html(text);
}

export const nothing = new Html('');

export const each = <T>(items: readonly T[], draw: (item: T, index: number) => Html): Html =>
  new Html(items.map((item, index) => draw(item, index).text).join(''));

function written(part: Part): string {
  if (part instanceof Html) return part.text;
  if (Array.isArray(part)) return part.map((one: Html) => one.text).join('');
  return escapeHtml(String(part));
}

/**
 * JSON for a script element: no text in it can end the element or begin a comment, and the two line separators that
 * are no JSON whitespace in old parsers are written as escapes. It parses to the same values.
 */
export function jsonForScript(value: unknown): Html {
  const json = JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
  return new Html(json);
}
