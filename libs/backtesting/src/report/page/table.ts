import { decimal } from '../format';
import { button, choice, h } from './dom';

/** One column of a table whose rows are numbers into a report's columns. */
export interface Column {
  label: string;
  /** What it means, shown on hover. */
  title?: string;
  numeric?: boolean;
  /** Left out where the screen is narrow; the detail of the row has it all the same. */
  wide?: boolean;
  /** Sorted by this; a column without it cannot be sorted by. */
  value?: (row: number) => number | string;
  cell: (row: number) => Node | string;
}

export interface TableSpec {
  host: HTMLElement;
  caption: string;
  count: number;
  columns: readonly Column[];
  /** Anchor of a row, unique in the page. */
  anchor: (row: number) => string;
  /** What a row unfolds to. */
  detail?: (row: number) => Node;
  filters?: (changed: () => void) => { controls: Node[]; passes: (row: number) => boolean; clear: () => void };
  empty: string;
}

/** A table of any length, of which one page is in the document: sorted, filtered and paged by keyboard or pointer. */
export class PagedTable {
  private rows: number[] = [];
  private page = 0;
  private size = 25;
  private sortBy: Column | null = null;
  private descending = false;
  private readonly unfolded = new Set<number>();
  private readonly body = h('tbody');
  private readonly heads: { column: Column; head: HTMLElement }[] = [];
  private readonly status = h('p', { class: 'table-status', role: 'status' });
  private readonly pager: {
    first: HTMLButtonElement;
    back: HTMLButtonElement;
    on: HTMLButtonElement;
    last: HTMLButtonElement;
  };
  private passes: (row: number) => boolean = () => true;
  private clearFilters: () => void = () => undefined;

  constructor(private readonly spec: TableSpec) {
    const { host, caption, columns } = spec;
    const filters = spec.filters?.(() => this.refresh());
    if (filters !== undefined) {
      this.passes = filters.passes;
      this.clearFilters = filters.clear;
      host.append(
        h('div', { class: 'filters', role: 'group', 'aria-label': `Filter: ${caption}` }, ...filters.controls),
      );
    }
    const head = h('tr');
    if (spec.detail !== undefined)
      head.append(h('th', { scope: 'col' }, h('span', { class: 'visually-hidden' }, 'Details')));
    for (const column of columns) head.append(this.headOf(column));
    const table = h(
      'table',
      { class: 'data' },
      h('caption', { class: 'visually-hidden' }, caption),
      h('thead', {}, head),
      this.body,
    );
    const go = (text: string, label: string, to: () => number) =>
      button(text, { 'aria-label': label }, () => this.turn(to()));
    this.pager = {
      first: go('« First', 'First page', () => 0),
      back: go('‹ Back', 'Back one page', () => this.page - 1),
      on: go('Next ›', 'Next page', () => this.page + 1),
      last: go('Last »', 'Last page', () => this.pages() - 1),
    };
    const sizes = ['25', '50', '100'].map((size) => [size, size] as const);
    const perPage = choice('Rows', sizes, (size) => {
      this.size = Number(size);
      this.turn(0);
    });
    const { first, back, on, last } = this.pager;
    host.append(
      h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption }, table),
      h('div', { class: 'pager' }, this.status, first, back, on, last, perPage),
    );
    this.refresh();
  }

  /** Filters and sorts afresh and shows the first page. */
  refresh(): void {
    const { count } = this.spec;
    this.rows = [];
    for (let row = 0; row < count; row += 1) if (this.passes(row)) this.rows.push(row);
    const value = this.sortBy?.value;
    if (value !== undefined) {
      const keys = new Map(this.rows.map((row) => [row, value(row)]));
      const sign = this.descending ? -1 : 1;
      this.rows.sort((a, b) => {
        const [left, right] = [keys.get(a)!, keys.get(b)!];
        return left === right ? a - b : left < right ? -sign : sign;
      });
    }
    this.turn(0);
  }

  /** Turns to the page with a row, unfolds it and brings it into sight; filters that hide it are cleared. */
  reveal(row: number): void {
    let place = this.rows.indexOf(row);
    if (place === -1) {
      this.clearFilters();
      this.refresh();
      place = this.rows.indexOf(row);
    }
    if (this.spec.detail !== undefined) this.unfolded.add(row);
    this.turn(Math.floor(place / this.size));
    const line = document.getElementById(this.spec.anchor(row));
    line?.scrollIntoView({ block: 'center' });
    line?.focus({ preventScroll: true });
  }

  private headOf(column: Column): HTMLElement {
    const head = h('th', { scope: 'col', class: classOf(column), title: column.title });
    if (column.value === undefined) head.append(column.label);
    else {
      head.setAttribute('aria-sort', 'none');
      head.append(button(column.label, { class: 'sort' }, () => this.sort(column)));
      this.heads.push({ column, head });
    }
    return head;
  }

  /** The first time a column of numbers is asked for, its largest come first: that is what one looks for. */
  private sort(column: Column): void {
    this.descending = this.sortBy === column ? !this.descending : column.numeric === true;
    this.sortBy = column;
    for (const { column: other, head } of this.heads) {
      head.setAttribute('aria-sort', other !== column ? 'none' : this.descending ? 'descending' : 'ascending');
    }
    this.refresh();
  }

  private pages(): number {
    return Math.max(1, Math.ceil(this.rows.length / this.size));
  }

  private turn(page: number): void {
    this.page = Math.min(Math.max(0, page), this.pages() - 1);
    const from = this.page * this.size;
    const shown = this.rows.slice(from, from + this.size);
    const { count, columns, detail, empty } = this.spec;
    const width = columns.length + (detail === undefined ? 0 : 1);
    this.body.replaceChildren(...shown.flatMap((row) => this.linesOf(row)));
    if (shown.length === 0) this.body.append(h('tr', {}, h('td', { colspan: width, class: 'empty' }, empty)));
    const whole = this.rows.length === count ? '' : `, filtered from ${decimal(count, 0)}`;
    const range = shown.length === 0 ? '0' : `${decimal(from + 1, 0)} to ${decimal(from + shown.length, 0)}`;
    this.status.textContent = `${range} of ${decimal(this.rows.length, 0)}${whole}`;
    const { first, back, on, last } = this.pager;
    first.disabled = back.disabled = this.page === 0;
    on.disabled = last.disabled = this.page === this.pages() - 1;
  }

  private linesOf(row: number): HTMLElement[] {
    const { columns, anchor, detail } = this.spec;
    const line = h('tr', { id: anchor(row), tabindex: -1 });
    const cells = columns.map((column) => h('td', { class: classOf(column) }, column.cell(row)));
    if (detail === undefined) {
      line.append(...cells);
      return [line];
    }
    const width = columns.length + 1;
    const isOpen = this.unfolded.has(row);
    const below = h('tr', { class: 'detail', hidden: !isOpen }, h('td', { colspan: width }));
    if (isOpen) below.firstElementChild?.append(detail(row));
    const fold = button(isOpen ? '▾' : '▸', { class: 'fold', 'aria-expanded': String(isOpen) }, () => {
      const opens = below.hidden;
      if (opens) this.unfolded.add(row);
      else this.unfolded.delete(row);
      below.hidden = !opens;
      fold.textContent = opens ? '▾' : '▸';
      fold.setAttribute('aria-expanded', String(opens));
      if (opens && below.firstElementChild?.childElementCount === 0) below.firstElementChild.append(detail(row));
    });
    fold.setAttribute('aria-label', `Details of row ${row + 1}`);
    line.append(h('td', {}, fold), ...cells);
    return [line, below];
  }
}

const classOf = ({ numeric = false, wide = false }: Column): string =>
  [numeric ? 'number' : '', wide ? 'wide' : ''].filter((name) => name !== '').join(' ');

/** Marks the regions that hold more than they show, so that the page says so; most tables fit, even on a phone. */
export function markWhatScrolls(regions: readonly HTMLElement[]): void {
  for (const region of regions) {
    const observer = new ResizeObserver(() =>
      region.toggleAttribute('data-scrolls', region.scrollWidth > region.clientWidth),
    );
    for (const watched of [region, ...region.children]) observer.observe(watched);
  }
}
