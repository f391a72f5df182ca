import { SingleBar } from 'cli-progress';

/** How far an import is; drawn on a terminal, and nowhere else. */
export class Progress {
  private readonly bar: SingleBar | null;

  constructor(terminal: NodeJS.WriteStream | null, totalRows: number) {
    this.bar =
      terminal &&
      new SingleBar({
        stream: terminal,
        format: '{bar} {percentage} %  {value} of {total} rows  {duration_formatted}',
        hideCursor: true,
      });
    this.bar?.start(totalRows, 0);
  }

  at(rows: number): void {
    this.bar?.update(rows);
  }

  stop(): void {
    this.bar?.stop();
  }
}
