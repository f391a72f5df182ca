/** Those who wait until a log is stored up to a position. */
export class DurableWaiters {
  private readonly waiting: Array<{ seq: number; resolve: () => void; reject: (error: Error) => void }> = [];

  wait(seq: number): Promise<void> {
    return new Promise((resolve, reject) => this.waiting.push({ seq, resolve, reject }));
  }

  /** Lets go of all who wait for nothing above `storedSeq`. */
  wake(storedSeq: number): void {
    for (let index = 0; index < this.waiting.length;) {
      const waiter = this.waiting[index];
      if (waiter && waiter.seq <= storedSeq) {
        this.waiting.splice(index, 1);
        waiter.resolve();
      } else index += 1;
    }
  }

  /** Nothing will be stored any more. */
  fail(error: Error): void {
    for (const waiter of this.waiting.splice(0)) waiter.reject(error);
  }
}
