type Attributes = Record<string, string | number | boolean | undefined>;
type Child = Node | string | undefined;

/** An element with attributes and children. Text is always set as text, so nothing of a report is ever read as markup. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
  for (const child of children) if (child !== undefined) element.append(child);
  return element;
}

export function button(text: string, attributes: Attributes, onClick: () => void): HTMLButtonElement {
  const element = h('button', { type: 'button', ...attributes }, text);
  element.addEventListener('click', onClick);
  return element;
}

/** A labelled choice; `onChange` gets the chosen value. */
export function choice(
  label: string,
  options: readonly (readonly [value: string, text: string])[],
  onChange: (value: string) => void,
): HTMLLabelElement {
  const select = h('select', {}, ...options.map(([value, text]) => h('option', { value }, text)));
  select.addEventListener('change', () => onChange(select.value));
  return h('label', { class: 'choice' }, h('span', {}, label), select);
}

/** An id to read, with a button that copies the text given. */
export function copyable(shown: string, copied: string): HTMLElement {
  const copy = button('Copy', { class: 'copy', 'aria-label': `Copy ${copied}` }, () => {
    void copyText(copied).then((done) => {
      copy.textContent = done ? 'Copied' : 'Select and copy by hand';
      setTimeout(() => (copy.textContent = 'Copy'), 1_500);
    });
  });
  return h('span', { class: 'copyable' }, h('code', {}, shown), copy);
}

/** A page opened from disk may be refused the clipboard; the old way through a selection then still works. */
async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard !== undefined) {
    const done = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    if (done) return true;
  }
  const area = h('textarea', { class: 'visually-hidden', 'aria-hidden': 'true' });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}

export const all = (selector: string, within: ParentNode = document): HTMLElement[] => [
  ...within.querySelectorAll<HTMLElement>(selector),
];

export function one(selector: string, within: ParentNode = document): HTMLElement {
  const found = within.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`The report has no element ${selector}; it was not written by this version.`);
  return found;
}
