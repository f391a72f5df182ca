const ISO = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z?)?$/;

/**
 * An instant as epoch ms: ISO 8601 in UTC, also without the Z (`2021-05-19`, `2021-05-19T12:00`), or milliseconds.
 * Never the machine's time zone: the same text is the same run everywhere. Null when the text is neither.
 */
export function utcInstant(text: string): number | null {
  // A year, or seconds, would be an instant of 1970.
  if (/^(0|\d{12,14})$/.test(text)) return Number(text);
  if (!ISO.test(text)) return null;
  const iso = text.replace(' ', 'T');
  const at = Date.parse(iso.length === 10 || iso.endsWith('Z') ? iso : `${iso}Z`);
  return Number.isNaN(at) ? null : at;
}
