import { fork, type ChildProcess } from 'node:child_process';
import { program } from '../../tests/faults/cluster/supervised';
import type { ReaderAnswer, ReaderQuestion } from './stamps';
import type { ReaderOrder } from './tick-reader';

/** A consumer in a process of its own. */
export class ReaderProcess {
  private readonly child: ChildProcess;
  private readonly ended: Promise<number | null>;

  private constructor(order: ReaderOrder) {
    this.child = fork(program('bench/support/tick-reader.js'), [JSON.stringify(order)], { serialization: 'advanced' });
    this.ended = new Promise((resolve) => this.child.once('exit', (code) => resolve(code)));
  }

  /** Resolves when it has joined its group. */
  static async start(order: ReaderOrder): Promise<ReaderProcess> {
    const reader = new ReaderProcess(order);
    await reader.next();
    return reader;
  }

  ask(question: ReaderQuestion): Promise<ReaderAnswer> {
    this.child.send(question);
    return this.next() as Promise<ReaderAnswer>;
  }

  async stop(): Promise<void> {
    if (this.child.connected) this.child.disconnect();
    await this.ended;
  }

  private next(): Promise<unknown> {
    return Promise.race([
      new Promise<unknown>((resolve) => this.child.once('message', resolve)),
      this.ended.then((code) => Promise.reject(new Error(`The process that reads ended with code ${String(code)}.`))),
    ]);
  }
}
