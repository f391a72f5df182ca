/** Gives the next page, or null after the last. */
export type NextPage<P> = () => Promise<readonly P[] | null>;

/**
 * Goes through pages row by row. An async generator would cost several microtasks a row; here a row that is there
 * already costs one.
 */
export class PagedRows<P, R> implements AsyncIterableIterator<R> {
  private page: readonly P[] = [];
  private at = 0;
  private isDone = false;

  constructor(
    private readonly nextPage: NextPage<P>,
    private readonly toRow: (item: P) => R,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<R, undefined>> {
    const item = this.page[this.at];
    if (item === undefined) return this.fetch();
    this.at += 1;
    return Promise.resolve({ value: this.toRow(item), done: false });
  }

  return(): Promise<IteratorResult<R, undefined>> {
    this.isDone = true;
    this.page = [];
    return Promise.resolve({ value: undefined, done: true });
  }

  private async fetch(): Promise<IteratorResult<R, undefined>> {
    while (!this.isDone) {
      const page = await this.nextPage();
      if (page === null) this.isDone = true;
      else if (page.length > 0) {
        this.page = page;
        this.at = 1;
        return { value: this.toRow(page[0]!), done: false };
      }
    }
    this.page = [];
    return { value: undefined, done: true };
  }
}

/** Rows that are read in the order of a number that each of them carries. */
export interface Keyset<P> {
  /** Exclusive. */
  after: number;
  pageRows: number;
  /** Rows at most. */
  limit?: number;
  keyOf: (item: P) => number;
  /** The first rows above a number, at most so many. */
  page: (after: number, rows: number) => Promise<readonly P[]>;
}

export function keysetRows<P, R>(
  { after, pageRows, limit = Infinity, keyOf, page }: Keyset<P>,
  toRow: (item: P) => R,
): PagedRows<P, R> {
  let last = after;
  let left = limit;
  const next = async (): Promise<readonly P[] | null> => {
    if (left <= 0) return null;
    const most = Math.min(pageRows, left);
    const rows = await page(last, most);
    if (rows.length > 0) last = keyOf(rows[rows.length - 1]!);
    left = rows.length < most ? 0 : left - rows.length;
    return rows;
  };
  return new PagedRows(next, toRow);
}
