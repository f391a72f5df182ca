import { one } from './dom';

const names = { auto: 'as the system', light: 'light', dark: 'dark' } as const;
type Theme = keyof typeof names;

/** The switch of light and dark; `auto` follows the system while the page is open. Paper is always light. */
export function enableTheme(redraw: () => void, print: (printing: boolean) => void): void {
  const control = one('#theme') as HTMLButtonElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen: Theme = 'auto';
  let isPrinting = false;
  const apply = () => {
    const isDark = !isPrinting && (chosen === 'dark' || (chosen === 'auto' && system.matches));
    document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
    control.textContent = `Theme: ${names[chosen]}`;
  };
  control.addEventListener('click', () => {
    chosen = chosen === 'auto' ? (system.matches ? 'light' : 'dark') : chosen === 'light' ? 'dark' : 'light';
    apply();
    redraw();
  });
  system.addEventListener('change', () => {
    apply();
    redraw();
  });
  const printing = (now: boolean) => {
    if (isPrinting === now) return;
    isPrinting = now;
    apply();
    print(now);
  };
  addEventListener('beforeprint', () => printing(true));
  addEventListener('afterprint', () => printing(false));
  matchMedia('print').addEventListener('change', ({ matches }) => printing(matches));
  control.hidden = false;
  apply();
}
