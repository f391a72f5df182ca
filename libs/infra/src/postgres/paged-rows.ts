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
