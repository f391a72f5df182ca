import { all, h } from './dom';

/**
 * Definitions: shown on hover, on focus and on tap, closed by Escape or by pointing elsewhere. Each stands in the document
 * as well (`aria-describedby`), so it is printed and read out without this.
 */
export function enableTips(): void {
  const tip = h('div', { class: 'tip', role: 'tooltip', hidden: true });
  document.body.append(tip);
  let owner: HTMLElement | null = null;

  const close = () => {
    tip.hidden = true;
    owner = null;
  };
  const open = (target: HTMLElement) => {
    owner = target;
    tip.textContent = document.getElementById(target.getAttribute('aria-describedby') ?? '')?.textContent ?? '';
    tip.hidden = false;
    const { left, bottom, top } = target.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = tip;
    const room = document.documentElement.clientWidth;
    const fitsBelow = bottom + height + 12 < window.innerHeight;
    tip.style.left = `${Math.max(8, Math.min(left, room - width - 8)) + window.scrollX}px`;
    tip.style.top = `${(fitsBelow ? bottom + 6 : top - height - 6) + window.scrollY}px`;
  };
  for (const target of all('[data-tip]')) {
    target.addEventListener('mouseenter', () => open(target));
    target.addEventListener('mouseleave', () => document.activeElement !== target && close());
    target.addEventListener('focus', () => open(target));
    target.addEventListener('blur', close);
    target.addEventListener('click', () => open(target));
  }
  document.addEventListener('keydown', (event) => event.key === 'Escape' && close());
  document.addEventListener('pointerdown', (event) => {
    if (owner !== null && !owner.contains(event.target as Node)) close();
  });
}
